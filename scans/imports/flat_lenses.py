"""Images without distortion, for lenses that no COLMAP model has."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from capture import InputError
from scans.imports.records import Array, BrownLens

_WIDEST = 1.5  # of the image's own size, to either side: farther out a wide lens' image is stretched too far
_SAMPLES = 257  # along each border
_ROWS = 256  # at once


@lru_cache(maxsize=512)
def flat_lens(lens: BrownLens) -> BrownLens:
    """The pinhole of the same focal length at the centre that sees as much as it can without a black border.

    Raises `InputError` where the lens folds its own image over.
    """
    focal = float(np.sqrt(lens.fx * lens.fy))
    u, v = np.linspace(0, lens.width, _SAMPLES), np.linspace(0, lens.height, _SAMPLES)
    borders = [(0 * v, v), (lens.width + 0 * v, v), (u, 0 * u), (u, lens.height + 0 * u)]
    rays = [lens.to_rays(np.stack(border, axis=-1))[:, :2] * focal for border in borders]
    if not all(np.isfinite(each).all() for each in rays):
        raise InputError("its distortion folds the image over before the border, as no lens does; calibrate it again")
    left, right, top, bottom = (side[:, axis] for side, axis in zip(rays, (0, 0, 1, 1), strict=True))
    cx, cy = _until(-left, _WIDEST * lens.cx), _until(-top, _WIDEST * lens.cy)
    width = cx + _until(right, _WIDEST * (lens.width - lens.cx))
    height = cy + _until(bottom, _WIDEST * (lens.height - lens.cy))
    return BrownLens(width, height, focal, focal, cx, cy)


def _until(distances: Array, most: float) -> int:
    """Whole pixels from the axis to a border: as far as all of it is seen."""
    return int(np.floor(min(distances.min(), most)))


def to_flat(lens: BrownLens, pixels: Array) -> Array:
    """The pixels (..., 2) of the flat lens where `lens` has them at `pixels` (..., 2)."""
    return flat_lens(lens).to_pixels(lens.to_rays(pixels))


def resample(lens: BrownLens, sample: Callable[[Array], NDArray]) -> NDArray:
    """The image (H, W, ...) of the flat lens.

    Args:
        lens: that the image was taken with.
        sample: makes values (n, W, ...) of the image at pixels (n, W, 2).
    """
    flat = flat_lens(lens)
    bands = []
    for top in range(0, flat.height, _ROWS):
        rows = np.arange(top, min(top + _ROWS, flat.height))
        u, v = np.meshgrid(np.arange(flat.width) + 0.5, rows + 0.5)
        bands.append(sample(lens.to_pixels(flat.to_rays(np.stack([u, v], axis=-1)))))
    return np.concatenate(bands)
