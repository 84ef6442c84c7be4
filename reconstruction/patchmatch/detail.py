"""Median high-pass: the fine detail of an image, which is what is matched, as strong at an edge as on skin."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

_BAND = 1 << 14  # pixels that the median is taken of at once: what they need stays in the processor's cache


def fine_detail(image: NDArray[np.float32], radius: int, step: int, limit: float) -> NDArray[np.float32]:
    """(H, W) `image` less the median around each pixel, softly cut at +-`limit`.

    What is smoother than the median's window is taken off: highlights and shading glide over the skin as the camera
    moves and would outweigh the faint texture that stays in its place. A median, unlike a mean, leaves no halo
    beside an edge, and thin strands stay. The cut keeps an outline from drowning the texture beside it, which would
    give the skin there the depth of the outline.

    Args:
        image: (H, W).
        radius: half side of the median's window, pixels; beyond the image its edge goes on.
        step: distance of the samples in the window, pixels.
        limit: where detail is cut.
    """
    height, width = image.shape
    padded = np.pad(image, radius, "edge")
    result = np.empty_like(image)
    rows = max(1, _BAND // width)
    for top in range(0, height, rows):
        count = min(rows, height - top)
        shifts = range(0, 2 * radius + 1, step)
        samples = [padded[top + dy : top + dy + count, dx : dx + width].copy() for dy in shifts for dx in shifts]
        band = image[top : top + count]
        result[top : top + count] = limit * np.tanh((band - _median(samples)) / np.float32(limit))
    return result


def packed_corners(detail: NDArray[np.float32], limit: float) -> NDArray[np.uint32]:
    """(H, W) uint32: at each pixel its own value and those right of it, below, and below on the right.

    A byte each, lowest first, `detail` in [-limit, limit] as 0 to 255: what bilinear interpolation needs is read at
    once. Beyond the image the last row and column go on.
    """
    levels = np.clip((detail / limit + 1) * 127.5 + 0.5, 0, 255).astype(np.uint32)
    padded = np.pad(levels, ((0, 1), (0, 1)), "edge")
    return np.asarray(padded[:-1, :-1] | padded[:-1, 1:] << 8 | padded[1:, :-1] << 16 | padded[1:, 1:] << 24, np.uint32)


def _median(samples: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The upper median, pixel by pixel, of arrays, which are changed: a sorting network, as one comparison does all."""
    spare = np.empty_like(samples[0])
    for low, high in median_network(len(samples)):
        np.minimum(samples[low], samples[high], out=spare)
        np.maximum(samples[low], samples[high], out=samples[high])
        samples[low], spare = spare, samples[low]
    return samples[len(samples) // 2]


@cache
def median_network(count: int) -> tuple[tuple[int, int], ...]:
    """Pairs to sort, one after the other, so that the middle of `count` numbers ends in its place.

    Batcher's odd-even merge sort ("Sorting networks and their applications", 1968) without the pairs that the middle
    doesn't depend on.
    """
    needed, pairs = {count // 2}, []
    for pair in reversed(list(_odd_even_merge_sort(count))):
        if needed & set(pair):
            needed |= set(pair)
            pairs.append(pair)
    return tuple(reversed(pairs))


def _odd_even_merge_sort(count: int) -> Iterator[tuple[int, int]]:
    """All pairs of the network for `count` numbers (Knuth, "The Art of Computer Programming" 3, algorithm 5.2.2M)."""
    p = 1
    while p < count:
        k = p
        while k >= 1:
            for j in range(k % p, count - k, 2 * k):
                for i in range(min(k, count - j - k)):
                    if (i + j) // (2 * p) == (i + j + k) // (2 * p):
                        yield i + j, i + j + k
            k //= 2
        p *= 2
