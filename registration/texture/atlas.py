"""Texels of triangles in texture space, tile by tile, and the padding around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from capture.derived import UDIM

Floats = NDArray[np.float64]

_AT_ONCE = 2_000_000  # texels that are looked at together
_NEIGHBOURS = ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))


@dataclass(frozen=True, eq=False)
class Texels:
    """The texels of a tile whose centres lie in triangles.

    Attributes:
        place: (P,) row times side plus column, from the top left.
        face: (P,) triangle.
        shares: (P, 2) barycentric coordinates of its second and third corner.
    """

    place: NDArray[np.int32]
    face: NDArray[np.int32]
    shares: NDArray[np.float32]


def tiles_of(corner_uvs: Floats, there: NDArray[np.bool_] | None = None) -> dict[int, NDArray[np.bool_]]:
    """UDIM number -> the polygons (m,) of it, by the middles of their texture coordinates (m, K, 2).

    Tile 1001 is [0, 1] x [0, 1]; there are ten in a row, and ten rows that go up. What lies elsewhere, to the left or
    below, or beyond the tenth, is taken to repeat. `there` (m, K) are the corners that a polygon has.
    """
    column, row = np.floor(_middles(corner_uvs, there)).astype(np.int64).T
    known = (column >= 0) & (column < 10) & (row >= 0) & (row < 10)
    number = np.where(known, UDIM.start + column + 10 * row, UDIM.start)
    return {int(each): number == each for each in np.unique(number)}


def _middles(corner_uvs: Floats, there: NDArray[np.bool_] | None = None) -> Floats:
    """(m, 2) means of the corners."""
    if there is None:
        return np.asarray(corner_uvs.mean(axis=1))
    return np.where(there[..., None], corner_uvs, 0).sum(axis=1) / there.sum(axis=1)[:, None]


def rasterise(corner_uvs: Floats, faces: NDArray[np.int64], side: int) -> Texels:
    """Texels of a tile of `side` times `side`; of triangles that overlap, the last one's.

    Args:
        corner_uvs: (m, 3, 2) of all triangles; v grows upwards.
        faces: which of them belong to the tile.
        side: texels.
    """
    owner = np.full(side * side, -1, np.int32)
    corners = (corner_uvs[faces] - np.floor(_middles(corner_uvs[faces]))[:, None]) * side
    corners[..., 1] = side - corners[..., 1]
    for covered, triangle in _covered(corners, side):
        owner[covered] = triangle
    place = np.flatnonzero(owner >= 0).astype(np.int32)
    row = owner[place]
    del owner
    shares = np.empty((len(place), 2), np.float32)
    for first in range(0, len(place), _AT_ONCE):
        block = slice(first, first + _AT_ONCE)
        centre = np.stack([place[block] % side + 0.5, place[block] // side + 0.5], axis=1)
        shares[block] = _shares(corners[row[block]], centre)
    return Texels(place, faces[row].astype(np.int32), shares)


def _covered(corners: Floats, side: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Places and triangles of the texels whose centres lie in triangles (m, 3, 2), some triangles at a time."""
    low = np.clip(np.ceil(corners.min(axis=1) - 0.5), 0, side).astype(np.int64)
    high = np.clip(np.floor(corners.max(axis=1) - 0.5) + 1, 0, side).astype(np.int64)
    extent = np.maximum(high - low, 0)
    count = extent[:, 0] * extent[:, 1]
    ends = np.cumsum(count)
    first = 0
    while first < len(count):
        begun = ends[first] - count[first]
        last = max(first + 1, int(np.searchsorted(ends, begun + _AT_ONCE, side="right")))
        row = np.repeat(np.arange(first, last), count[first:last])
        number = np.arange(len(row)) - (ends[row] - count[row] - begun)
        x = low[row, 0] + number % np.maximum(extent[row, 0], 1)
        y = low[row, 1] + number // np.maximum(extent[row, 0], 1)
        shares = _shares(corners[row], np.stack([x + 0.5, y + 0.5], axis=1))
        inside = (shares.min(axis=1) >= -1e-9) & (shares.sum(axis=1) <= 1 + 1e-9)
        yield (y * side + x)[inside], row[inside]
        first = last


def _shares(corners: Floats, points: Floats) -> Floats:
    """(P, 2) barycentric coordinates of points (P, 2) in triangles (P, 3, 2): shares of the second and third corner."""
    a, b, c = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0], points - corners[:, 0]
    size = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        second = (c[:, 0] * b[:, 1] - c[:, 1] * b[:, 0]) / size
        third = (a[:, 0] * c[:, 1] - a[:, 1] * c[:, 0]) / size
    return np.stack([second, third], axis=1)  # not finite, and so outside, where the triangle has no area


def pad(image: NDArray[np.uint8], known: NDArray[np.bool_], width: int) -> None:
    """Fill texels up to `width` beyond the `known` (H, W) of an image (H, W, C) in place, each by those beside it.

    Filtering and smaller mipmaps mix what lies beyond the border of a chart into it.
    """
    height, across = known.shape
    flat = image.reshape(-1, image.shape[2])
    known = known.copy()
    rows, columns = np.nonzero(binary_dilation(known, np.ones((3, 3), bool)) & ~known)
    for _ in range(width):
        total, count = np.zeros((len(rows), image.shape[2]), np.float32), np.zeros(len(rows), np.float32)
        beyond = []
        for down, right in _NEIGHBOURS:
            y, x = rows + down, columns + right
            there = (y >= 0) & (y < height) & (x >= 0) & (x < across)
            beyond.append((y * across + x)[there])
            there[there] = known[y[there], x[there]]
            total[there] += flat[y[there] * across + x[there]]
            count += there
        flat[rows * across + columns] = np.round(total / count[:, None])
        known[rows, columns] = True
        following = np.unique(np.concatenate(beyond))
        rows, columns = np.divmod(following[~known.reshape(-1)[following]], across)
