"""Classes of a scan's vertices by the masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh
from PIL import Image

from capture import Capture, CaptureInfo, PixelClass, Scan
from labeling.classes import UNSEEN, seen_classes
from labeling.visibility import ScanViews
from tests.helpers import looking_at_origin


def _ball_capture(folder: Path, classes: tuple[PixelClass | None, ...]) -> tuple[Capture, Scan]:
    """A ball seen from as many sides as there are classes; each mask is of one class, None: there is no mask."""
    ball = trimesh.creation.icosphere(4, 0.1)
    scan = Scan(np.asarray(ball.vertices, np.float32), np.asarray(ball.faces, np.int32))
    cameras = [looking_at_origin(f"view_{i:02d}.png", 90.0 * i) for i in range(len(classes))]
    for camera, value in zip(cameras, classes, strict=True):
        for name, fill in (("images", 0), ("masks", value)):
            if fill is not None:
                (folder / name).mkdir(parents=True, exist_ok=True)
                Image.new("L", (camera.width, camera.height), int(fill)).save(folder / name / camera.name)
    return Capture.create(folder, cameras, CaptureInfo("ball")), scan


def test_the_view_that_sees_a_vertex_best_decides(tmp_path: Path) -> None:
    capture, scan = _ball_capture(tmp_path, (PixelClass.SKIN, PixelClass.GARMENT))
    classes = seen_classes(ScanViews.of_capture(capture, scan))
    ways = np.stack([camera.centre / np.linalg.norm(camera.centre) for camera in capture.cameras])
    cosines = scan.vertices / 0.1 @ ways.T
    clear = np.abs(cosines[:, 0] - cosines[:, 1]) > 0.1
    seen = cosines.max(axis=1) > 0.3
    expected = np.where(cosines[:, 0] > cosines[:, 1], PixelClass.SKIN, PixelClass.GARMENT)
    np.testing.assert_array_equal(classes[clear & seen], expected[clear & seen])
    assert (classes[cosines.max(axis=1) < 0] == UNSEEN).all()


def test_background_and_missing_masks_say_nothing(tmp_path: Path) -> None:
    capture, scan = _ball_capture(tmp_path / "a", (PixelClass.BACKGROUND, PixelClass.EYES, None))
    classes = seen_classes(ScanViews.of_capture(capture, scan))
    assert set(np.unique(classes)) == {PixelClass.EYES, UNSEEN}
    capture, scan = _ball_capture(tmp_path / "b", (None, None))
    assert seen_classes(ScanViews.of_capture(capture, scan)) is None
