"""The surface behind a messy mesh: coincident vertices joined, loose vertices and collapsed faces left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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

    Slivers stay: dropping them would tear the surface, and the intrinsic Laplacian copes with them.

    Raises:
        ValueError: where no face is left.
    """
    _, first, joined = np.unique(np.asarray(vertices, np.float64), axis=0, return_index=True, return_inverse=True)
    corners = joined.reshape(-1)[np.asarray(faces, np.int64)]
    different = (corners != np.roll(corners, 1, axis=1)).all(axis=1)
    corners = corners[different]
    _, keep = np.unique(np.sort(corners, axis=1), axis=0, return_index=True)
    corners = corners[np.sort(keep)]
    if not len(corners):
        raise ValueError("the mesh has no face with three different corners")
    used = np.unique(corners)
    renumber = np.full(len(first), -1, np.int64)
    renumber[used] = np.arange(len(used))
    positions = np.asarray(vertices, np.float64)[first[used]]
    return Weld(positions, renumber[corners], renumber[joined.reshape(-1)])


def mesh_edges(faces: NDArray) -> Ints:
    """(E, 2) undirected edges, each once, the smaller index first."""
    corners = np.asarray(faces, np.int64)
    pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    return np.unique(np.sort(pairs, axis=1), axis=0)
