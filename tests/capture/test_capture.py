from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from capture import Camera, Capture, CaptureInfo, InputError, SparseModel, SparsePoints, write_model
from tests.helpers import camera


def make(folder: Path, count: int = 3) -> Capture:
    view = camera()
    cameras = []
    (folder / "images").mkdir(parents=True)
    for i in reversed(range(count)):
        name = f"view_{i:02d}.png"
        (folder / "images" / name).write_bytes(b"")
        cameras.append(Camera(name, 640, 480, "PINHOLE", view.params, view.rotation, view.translation))
    info = CaptureInfo("head_00000000", 0, {"hair": {"family": "none"}}, {"blender": "4.5"})
    return Capture.create(folder, cameras, info)


def test_round_trip(tmp_path: Path) -> None:
    made = make(tmp_path / "head_00000000")
    again = Capture.read(tmp_path / "head_00000000")
    assert again.info == made.info
    for one, other in zip(again.cameras, made.cameras, strict=True):
        assert one.params == other.params
        np.testing.assert_allclose(one.rotation, other.rotation, atol=1e-14)
        np.testing.assert_array_equal(one.translation, other.translation)
    assert [path.name for path in again.image_paths] == ["view_00.png", "view_01.png", "view_02.png"]


def test_a_users_capture_needs_only_images_and_cameras(tmp_path: Path) -> None:
    folder = tmp_path / "my scan (1)"
    make(folder)
    (folder / "capture.json").unlink()
    info = Capture.read(folder).info
    assert info.id == "my_scan__1_" and info.seed is None and info.spec is None


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such capture folder"):
        Capture.read(tmp_path / "nowhere")
    folder = tmp_path / "head"
    make(folder)
    (folder / "images" / "view_01.png").unlink()
    with pytest.raises(InputError, match=r"image is missing: .*view_01\.png"):
        Capture.read(folder)
    for path in (folder / "sparse").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="no cameras"):
        Capture.read(folder)


def test_another_schema_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "head")
    path = tmp_path / "head" / "capture.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 99}))
    with pytest.raises(InputError, match="schema version 99"):
        Capture.read(tmp_path / "head")


@pytest.mark.parametrize("change", [{"id": 5}, {"seed": "x"}, {"spec": []}, {"versions": [1]}])
def test_fields_of_another_type_are_refused(tmp_path: Path, change: dict) -> None:
    make(tmp_path / "head")
    path = tmp_path / "head" / "capture.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match=r"capture\.json: .*make the capture again"):
        Capture.read(tmp_path / "head")


def test_ids_fit_shard_keys() -> None:
    for bad in ("", "a.b", "a/b", "ä"):
        with pytest.raises(InputError, match="capture id"):
            CaptureInfo(bad)


def users(folder: Path, names: list[str]) -> Path:
    """A user's own capture with images of these names; no `capture.json`."""
    view = camera()
    views = []
    for i, name in enumerate(names):
        path = folder / "images" / name.replace("\\", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        views.append(
            Camera(name, 640, 480, "PINHOLE", view.params, view.rotation, view.translation + np.array([i, 0, 0]))
        )
    tracks = tuple(np.array([i, (i + 1) % len(names)]) for i in range(len(names)))
    pixels = tuple(np.array([[track[0], 0.0], [track[1], 1.0]]) for track in tracks)
    positions, colours = np.arange(3.0 * len(names)).reshape(-1, 3), np.zeros((len(names), 3), np.uint8)
    write_model(folder / "sparse", SparseModel(tuple(views), SparsePoints(positions, colours, tracks, pixels)))
    return folder


def test_images_of_a_users_model_that_are_not_there_are_left_out_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = users(tmp_path, ["a.png", "b.png", "c.png", "d.png"])
    whole = Capture.read(folder)
    (folder / "images" / "b.png").unlink()
    found = Capture.read(folder)
    Capture.read(folder)
    assert [view.name for view in found.cameras] == ["a.png", "c.png", "d.png"]
    np.testing.assert_array_equal(found.cameras[1].translation, whole.cameras[2].translation)
    assert [track.tolist() for track in found.model.points.tracks] == [[0], [1], [1, 2], [2, 0]]
    assert found.model.points.pixels[1].tolist() == [[2.0, 1.0]]
    assert len(caplog.messages) == 1
    assert "1 of the 4 images of the COLMAP model are not there (b.png); the other 3 are used" in caplog.text
    for path in (folder / "images").iterdir():
        path.unlink()
    with pytest.raises(InputError, match=r"image is missing: .*a\.png, as are all 4 of the model"):
        Capture.read(folder)


def test_names_written_on_windows_are_paths(tmp_path: Path) -> None:
    """Sub-folders in the order of their names, tracks with them."""
    names = ["cam2\\a.png", "cam10\\a.png", "cam1\\b\\a.png"]
    found = Capture.read(users(tmp_path / "windows", names))
    same = Capture.read(users(tmp_path / "other", [name.replace("\\", "/") for name in names]))
    assert [view.name for view in found.cameras] == ["cam1/b/a.png", "cam10/a.png", "cam2/a.png"]
    for one, other in zip(found.cameras, same.cameras, strict=True):
        assert one.to_json() == other.to_json()
    assert sorted(p.tolist() for p in found.model.points.positions) == sorted(
        p.tolist() for p in same.model.points.positions
    )
    assert all(path.is_file() for path in found.image_paths)


def test_a_backslash_may_be_part_of_a_files_name(tmp_path: Path) -> None:
    folder = users(tmp_path, ["a.png", "cam1\\a.png"])
    (folder / "images" / "cam1" / "a.png").rename(folder / "images" / "cam1\\a.png")
    assert [path.name for path in Capture.read(folder).image_paths] == ["a.png", "cam1\\a.png"]


@pytest.mark.parametrize("name", ["..\\..\\a.png", "C:\\..\\a.png", "..\\capture\\images\\a.png"])
def test_backslashes_lead_nowhere_else(tmp_path: Path, name: str) -> None:
    folder = users(tmp_path / "capture", ["a.png"])
    (tmp_path / "a.png").touch()
    path = folder / "sparse" / "images.txt"
    path.write_text(path.read_text().replace("a.png", name))
    with pytest.raises(InputError, match="image is missing"):
        Capture.read(folder)


def test_names_of_another_system_are_found(tmp_path: Path) -> None:
    """Case that Windows does not mind, and an umlaut that macOS takes apart; two files that differ in case stay two."""
    folder = users(tmp_path, ["A.JPG", "b.png", "B.png", "M\u00fcller.png"])
    (folder / "images" / "A.JPG").rename(folder / "images" / "a.jpg")
    (folder / "images" / "M\u00fcller.png").rename(folder / "images" / "Mu\u0308ller.png")
    assert [path.name for path in Capture.read(folder).image_paths] == ["B.png", "Mu\u0308ller.png", "a.jpg", "b.png"]


def test_what_is_no_capture_is_named(tmp_path: Path) -> None:
    heads = tmp_path / "out" / "captures"
    for name in ("head_1", "head_2", "head_3", "head_4"):
        make(heads / name)
    (heads / ".DS_Store").touch()
    for folder in (heads, tmp_path / "out"):
        with pytest.raises(
            InputError, match=r"captures is no capture, it holds 4 of them \(head_1, head_2, head_3, \.\.\.\)"
        ):
            Capture.read(folder)
    own = users(tmp_path / "own", ["left/a.png", "left/b.png"])
    with pytest.raises(InputError, match=f"it holds one: name {own}"):
        Capture.read(tmp_path)
    for part in ("images", "sparse", "images/left"):
        with pytest.raises(InputError, match=f"{part} is part of a capture; name the capture's folder: {own}$"):
            Capture.read(own / part)
    with pytest.raises(InputError, match="is a file; name the folder"):
        Capture.read(own / "images" / "left" / "a.png")
    (own / "sparse").rename(own / "0")
    with pytest.raises(InputError, match=r"0 is a COLMAP model alone"):
        Capture.read(own / "0")
    for path in (own / "0").iterdir():
        path.rename(own / path.name)
    with pytest.raises(InputError, match=r"the COLMAP model lies beside images/; move its files into sparse/"):
        Capture.read(own)
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed" / "dataset.json").touch()
    with pytest.raises(InputError, match="packed is a data set"):
        Capture.read(tmp_path / "packed")
    (tmp_path / "nothing" / "images").mkdir(parents=True)
    with pytest.raises(InputError, match=r"no cameras: .*sparse is missing; `p2p calibrate` finds those of images"):
        Capture.read(tmp_path / "nothing")
