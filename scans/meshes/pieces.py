"""Connected pieces of a mesh."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Ints = NDArray[np.int64]


def piece_of_vertices(faces: NDArray[np.integer], count: int) -> Ints:
    """(V,) number of the connected piece of each of `count` vertices; one that no face uses is a piece of its own."""
    pairs = np.concatenate([faces[:, :2], faces[:, 1:]])
    graph = coo_matrix((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), (count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def piece_of_faces(faces: NDArray[np.integer]) -> Ints:
    """(F,) number of the connected piece of each face."""
    label = piece_of_vertices(faces, int(faces.max(initial=-1)) + 1)
    return np.asarray(np.unique(label[faces[:, 0]], return_inverse=True)[1], np.int64).reshape(-1)
