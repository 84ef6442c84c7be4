"""Values of images between their pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sample_image(image: NDArray, pixels: NDArray) -> NDArray:
    """Bilinear samples (..., C), of the image's type, of an image (H, W, C) at pixels (..., 2).

    Pixel (0.5, 0.5) is the centre of the first one; beyond the outermost centres the border goes on.
    """
    height, width, channels = image.shape
    x, y = (np.clip(pixels[..., i] - 0.5, 0, size - 1) for i, size in enumerate((width, height)))
    column, row = (np.clip(value.astype(np.int64), 0, max(size - 2, 0)) for value, size in ((x, width), (y, height)))
    right, below = ((value - whole).astype(np.float32)[..., None] for value, whole in ((x, column), (y, row)))
    table, first = image.reshape(-1, channels), row * width + column
    next_column, next_row = min(1, width - 1), min(1, height - 1) * width
    values = _between(table, first, next_column, right)
    values += below * (_between(table, first + next_row, next_column, right) - values)
    if np.issubdtype(image.dtype, np.integer):
        values = values.round()
    return values.astype(image.dtype)


def _between(table: NDArray, first: NDArray[np.int64], step: int, share: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows (..., C) of a table, `share` of the way from `first` to `step` further."""
    start = np.take(table, first, axis=0).astype(np.float32)
    start += share * (np.take(table, first + step, axis=0) - start)
    return start
