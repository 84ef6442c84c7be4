"""Cutting a mesh along a level of a scalar field."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capture.geometry import Floats, Ints


def clip_mesh(triangles: NDArray[np.integer], values: Floats) -> tuple[Ints, Floats, Ints]:
    """The part of a mesh where a field is positive, cut through the triangles.

    Args:
        triangles: (F, 3).
        values: (V,) of the field.

    Returns:
        pairs (W, 2) and shares (W,): new vertex i lies at (1 - share) * old[pairs[i, 0]] + share * old[pairs[i, 1]];
        and triangles (G, 3) of the new vertices.
    """
    inside = values > 0
    count = inside[triangles].sum(axis=1)
    whole = triangles[count == 3].astype(np.int64)
    whole_corners = np.stack([whole, whole], axis=-1)
    one = _rolled(triangles[count == 1], inside[triangles[count == 1]])
    two = _rolled(triangles[count == 2], ~inside[triangles[count == 2]])
    a, b, c = one.T
    tips = np.stack([np.stack([a, a], 1), np.stack([a, b], 1), np.stack([a, c], 1)], axis=1)
    a, b, c = two.T  # a is outside
    first = np.stack([np.stack([b, b], 1), np.stack([c, c], 1), np.stack([b, a], 1)], axis=1)
    second = np.stack([np.stack([c, c], 1), np.stack([c, a], 1), np.stack([b, a], 1)], axis=1)
    corners = np.concatenate([whole_corners, tips, first, second]).reshape(-1, 2)
    pairs, faces = np.unique(corners, axis=0, return_inverse=True)
    inner, outer = values[pairs[:, 0]], values[pairs[:, 1]]
    cut = pairs[:, 0] != pairs[:, 1]
    share = np.where(cut, inner / np.where(cut, inner - outer, 1), 0.0)
    return pairs, share, faces.reshape(-1, 3)


def _rolled(triangles: NDArray[np.integer], odd: NDArray[np.bool_]) -> Ints:
    """Triangles turned so that the corner which is the odd one comes first."""
    start = odd.argmax(axis=1)
    order = (start[:, None] + np.arange(3)[None]) % 3
    return np.take_along_axis(triangles.astype(np.int64), order, axis=1)


def border_edges(triangles: NDArray[np.integer]) -> Ints:
    """(E, 2) directed edges that have a triangle on one side only, as that triangle runs along them."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).astype(np.int64)
    size = int(triangles.max()) + 1
    forward, backward = edges[:, 0] * size + edges[:, 1], edges[:, 1] * size + edges[:, 0]
    return edges[~np.isin(forward, backward)]


def smooth(values: Floats, triangles: NDArray[np.integer], rounds: int, amount: float = 0.5) -> Floats:
    """Values (V, C) averaged with those of the neighbours, `rounds` times; the border's stay."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).astype(np.int64)
    ends = np.concatenate([edges, edges[:, ::-1]])
    degree = np.maximum(np.bincount(ends[:, 0], minlength=len(values)), 1)[:, None]
    fixed = np.zeros(len(values), bool)
    fixed[border_edges(triangles).ravel()] = True
    for _ in range(rounds):
        total = np.stack([np.bincount(ends[:, 0], column[ends[:, 1]], len(values)) for column in values.T], axis=1)
        values = np.where(fixed[:, None], values, values + amount * (total / degree - values))
    return values
