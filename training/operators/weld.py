"""The surface behind a messy mesh: coincident vertices joined, loose vertices and collapsed faces left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PACKED = 1 << 21  # three vertex numbers below it fit into 63 bits


@dataclass(frozen=True, eq=False)
class Weld:
    """A cleaned mesh, and where the vertices of the given one went.

    Attributes:
        vertices: (W, 3) metres or any unit.
        faces: (F, 3) with three different corners each, no two faces with the same corners.
        index: (V,) the welded vertex of each given vertex, -1 where no face uses it.
    """

    vertices: Floats
    faces: Ints
    index: Ints


def weld(vertices: NDArray, faces: NDArray) -> Weld:
    """Join vertices at exactly the same place and drop what no face uses.

    Slivers stay: dropping them would tear the surface, and the intrinsic Laplacian copes with them. The order of
    vertices and faces stays too.

    Raises:
        ValueError: where no face is left.
    """
    positions = np.asarray(vertices, np.float64) + 0.0  # -0 becomes 0
    first = _first_copies(positions)
    corners = first[np.asarray(faces, np.int64)]
    corners = corners[(corners != np.roll(corners, 1, axis=1)).all(axis=1)]
    corners = corners[_first_of_equal_faces(corners, len(positions))]
    if not len(corners):
        raise ValueError("the mesh has no face with three different corners")
    used = np.zeros(len(positions), bool)
    used[corners] = True
    renumber = np.where(used, np.cumsum(used) - 1, -1)
    return Weld(positions[used], renumber[corners], renumber[first])


def _first_copies(positions: Floats) -> Ints:
    """(V,) the first vertex at the same place as each."""
    order = _order(positions)
    placed = positions[order]
    new = np.ones(len(order), bool)
    new[1:] = (placed[1:] != placed[:-1]).any(axis=1)
    group = np.cumsum(new) - 1
    smallest = np.full(group[-1] + 1 if len(group) else 0, len(order), np.int64)
    np.minimum.at(smallest, group, order)
    first = np.empty(len(order), np.int64)
    first[order] = smallest[group]
    return first


def _order(positions: Floats) -> Ints:
    """An order of the vertices that brings equal ones together."""
    order = np.argsort(positions[:, 0], kind="stable")
    across = positions[order, 0]
    tied = np.zeros(len(order), bool)
    equal = across[1:] == across[:-1]
    tied[1:] |= equal
    tied[:-1] |= equal
    some = order[tied]  # ordered by the first coordinate; the sort by all three keeps them in the same places
    order[tied] = some[np.lexsort(positions[some][:, ::-1].T)]
    return np.asarray(order, np.int64)


def _first_of_equal_faces(corners: Ints, vertices: int) -> Ints:
    """The faces to keep, in order: of those with the same three corners the first."""
    low, high = corners.min(axis=1), corners.max(axis=1)
    middle = corners.sum(axis=1) - low - high
    if vertices <= PACKED:
        _, keep = np.unique((low * PACKED + middle) * PACKED + high, return_index=True)
    else:
        _, keep = np.unique(np.stack([low, middle, high], axis=1), axis=0, return_index=True)
    return np.sort(keep)


def mesh_edges(faces: NDArray) -> Ints:
    """(E, 2) undirected edges, each once, the smaller index first."""
    corners = np.asarray(faces, np.int64)
    start, end = corners.ravel(), np.roll(corners, -1, axis=1).ravel()
    stride = int(corners.max(initial=0)) + 1
    keys = np.unique(np.minimum(start, end) * stride + np.maximum(start, end))
    return np.stack([keys // stride, keys % stride], axis=1)
