"""Photographs: read whole, written in the format that they came in."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import Camera, InputError, atomic_path, write_bytes
from generator.image_files.png import encode_png
from scans.images.decoding import decode_file
from scans.images.opening import opened_image

_OPTIONS: dict[str, dict[str, Any]] = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}
"""Format -> how it is written."""
_KEPT = ("exif", "icc_profile")


@dataclass(frozen=True)
class Picture:
    """An image file of a capture.

    Attributes:
        path: of the file.
        format: as Pillow names it.
    """

    path: Path
    format: str

    @classmethod
    def read(cls, camera: Camera, path: Path) -> Picture:
        """Look at the file; raises `InputError` where it is no image of its camera's size that could be written."""
        with opened_image(path, str(path)) as image:
            kind, (width, height) = str(image.format), image.size
        if (width, height) != (camera.width, camera.height):
            raise InputError(
                f"{path} is {width} x {height}, its camera {camera.width} x {camera.height}; give the "
                "image that was calibrated"
            )
        Image.init()
        if kind not in Image.SAVE:
            raise InputError(f"{path}: images of format {kind} can be read, not written; convert them to PNG")
        return cls(path, kind)

    def pixels(self) -> NDArray[np.uint8]:
        """(H, W, 3) sRGB."""
        return decode_file(self.path, max_pixels=None).colours


def write_picture(pixels: NDArray[np.uint8], like: Picture, path: Path, changed: bool) -> None:
    """Write pixels (H, W, 3) as the picture they were made of; byte for byte where nothing was changed."""
    if not changed:
        with atomic_path(path) as temporary:
            shutil.copyfile(like.path, temporary)
    elif like.format == "PNG":
        write_bytes(path, encode_png(pixels))
    else:
        with opened_image(like.path, str(like.path)) as image:
            kept = {name: image.info[name] for name in _KEPT if name in image.info}
        with atomic_path(path) as temporary:
            Image.fromarray(pixels).save(temporary, format=like.format, **kept, **_OPTIONS.get(like.format, {}))
