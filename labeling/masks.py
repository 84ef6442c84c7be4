"""Class masks of a synthetic capture: what they say at a point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capture import Camera, PixelClass


def pixel_numbers(camera: Camera, pixels: NDArray[np.float64]) -> NDArray[np.int32]:
    """(P,) the pixel, row by row from 0, that each place (P, 2) in a camera's image lies on; -1 outside of it."""
    inside = camera.inside(pixels)
    columns, rows = np.where(inside[:, None], pixels, 0).astype(int).T
    return np.where(inside, rows * camera.width + columns, -1).astype(np.int32)


def values_at(mask: NDArray[np.uint8], pixel: NDArray[np.int32]) -> NDArray[np.uint8]:
    """The values of a mask (H, W) at numbered pixels (P,); 0 where the number is -1."""
    return np.where(pixel >= 0, mask.reshape(-1)[pixel], np.uint8(0))


def without_specks(mask: NDArray[np.uint8] | None) -> NDArray[np.uint8] | None:
    """A mask (H, W) in which only pixels stay skin whose eight neighbours are skin; the others become background."""
    if mask is None:
        return None
    skin = np.pad(mask == PixelClass.SKIN, 1, mode="edge")
    clear = skin[1:-1, 1:-1].copy()
    for down in (0, 1, 2):
        for right in (0, 1, 2):
            clear &= skin[down : down + mask.shape[0], right : right + mask.shape[1]]
    return np.where((mask == PixelClass.SKIN) & ~clear, np.uint8(PixelClass.BACKGROUND), mask)
