"""Median high-pass: the fine detail of an image, which is what is matched, as strong at an edge as on skin."""

from __future__ import annotations

import numba
import numpy as np

from reconstruction.patchmatch.jit import inlined, kernel


@kernel
def fine_detail(image, radius, step, limit, result):  # type: ignore[no-untyped-def]
    """Fill `result` (H, W) with `image` less the median around each pixel, softly cut at +-`limit`.

    What is smoother than the median's window is taken off: highlights and shading glide over the skin as the camera
    moves and would outweigh the faint texture that stays in its place. A median, unlike a mean, leaves no halo
    beside an edge, and thin strands stay. The cut keeps an outline from drowning the texture beside it, which would
    give the skin there the depth of the outline.
    """
    for line in numba.prange(image.shape[0]):
        _detail_row(np.int64(line), image, radius, step, limit, result)


@inlined
def _detail_row(y, image, radius, step, limit, result):  # type: ignore[no-untyped-def]
    height, width = image.shape
    side = (2 * radius) // step + 1
    values = np.empty(side * side, np.float32)
    middle = values.shape[0] // 2
    for x in range(width):
        count = 0
        for dy in range(-radius, radius + 1, step):
            row = min(max(y + dy, 0), height - 1)
            for dx in range(-radius, radius + 1, step):
                value = image[row, min(max(x + dx, 0), width - 1)]
                k = count
                while k > 0 and values[k - 1] > value:
                    values[k] = values[k - 1]
                    k -= 1
                values[k] = value
                count += 1
        result[y, x] = limit * np.tanh((image[y, x] - values[middle]) / limit)
