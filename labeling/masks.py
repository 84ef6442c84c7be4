"""Class masks of a synthetic capture: what they say at a point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capture import Camera, PixelClass


def pixel_values(values: NDArray, camera: Camera, points: NDArray[np.float64]) -> NDArray:
    """The value of an image (H, W) at the pixel that each point (P, 3) falls on; 0 outside of the frame."""
    pixels, _ = camera.project(points)
    inside = camera.inside(pixels)
    columns, rows = np.where(inside[:, None], pixels, 0).astype(int).T
    return np.where(inside, values[rows, columns], 0)


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
