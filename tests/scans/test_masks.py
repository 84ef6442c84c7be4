"""Foreground masks of people, and class masks of ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capture import Camera, Capture, CaptureInfo, InputError, PixelClass, SparseModel
from capture.runtime.warnings_once import warn_once
from scans.images.class_masks import read_class_masks
from scans.images.decoding import decode_classes, read_foreground
from tests.helpers import make_capture

GREY = np.linspace(0, 255, 64 * 48).round().astype(np.uint8).reshape(48, 64)
RGB = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=-1)


@pytest.mark.parametrize(
    "mask",
    [
        Image.fromarray(GREY > 99),
        Image.fromarray(np.where(GREY > 99, 255, 0).astype(np.uint8)),
        Image.fromarray(np.where(GREY > 99, 65535, 0).astype(np.uint16)),
        Image.fromarray(np.where(GREY > 99, 0.3, 0).astype(np.float32)),
        Image.fromarray(np.dstack([RGB // 2 + 100, np.where(GREY > 99, 255, 0).astype(np.uint8)])),
    ],
    ids=["1 bit", "8 bits", "16 bits", "float", "cut out"],
)
def test_foreground_masks_of_any_type(tmp_path: Path, mask: Image.Image) -> None:
    mask.save(tmp_path / "mask.tif")
    np.testing.assert_array_equal(read_foreground(tmp_path / "mask.tif"), GREY > 99)


def class_masks(folder: Path, value: int, spec: bool) -> Capture:
    capture = make_capture(folder)
    for path in capture.mask_paths:
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((48, 48), value, np.uint8)).save(path)
    return capture if spec else Capture(folder, capture.model, CaptureInfo("own"))


def test_foreground_masks_are_no_class_masks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    warn_once.cache_clear()
    own = class_masks(tmp_path / "a", 255, spec=False)
    assert read_class_masks(own) == read_class_masks(own) == [None] * 3
    assert caplog.text.count("holds no class masks") == 1
    with pytest.raises(InputError, match="not a grey image of class ids"):  # ours are damaged
        read_class_masks(class_masks(tmp_path / "b", 255, spec=True))
    for spec in (False, True):
        masks = read_class_masks(class_masks(tmp_path / f"c{spec}", PixelClass.GARMENT, spec))
        assert all(mask is not None and (mask == PixelClass.GARMENT).all() for mask in masks)
    with pytest.raises(InputError, match="not a grey image of class ids"):
        decode_classes((tmp_path / "a" / "masks" / "view_00.png").read_bytes(), "a")


def test_each_image_has_a_mask_of_its_own() -> None:
    names = ("a.jpg", "a.png", "b/a.jpg")
    cameras = [Camera.pinhole(name, (4, 4), (4, 4), (2, 2), np.eye(3), np.zeros(3)) for name in names]
    capture = Capture(Path("x"), SparseModel(tuple(cameras)), CaptureInfo("x"))
    assert [str(path) for path in capture.mask_paths] == ["x/masks/a.jpg.png", "x/masks/a.png.png", "x/masks/b/a.png"]
