from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from capture import Camera, Capture, CaptureInfo, InputError
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
