"""Decoding images."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from capture import InputError, PixelClass


def decode_image(data: bytes, where: str) -> NDArray[np.uint8]:
    """(H, W, 3) sRGB of an image file's bytes; raises `InputError` naming `where` if they are damaged."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert("RGB"))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"damaged image: {where} ({error}); copy or render it again") from None


def decode_classes(data: bytes, where: str) -> NDArray[np.uint8]:
    """(H, W) ids of `PixelClass` of a mask file's bytes; raises `InputError` naming `where` if it is anything else."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            classes = np.asarray(image)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"damaged mask: {where} ({error}); copy or generate it again") from None
    if classes.ndim != 2 or classes.dtype != np.uint8 or classes.max() > max(PixelClass):
        raise InputError(f"mask {where} is not a grey image of class ids; generate it again")
    return classes


def resize_image(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """(height, width, 3), bicubic with antialiasing."""
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))
