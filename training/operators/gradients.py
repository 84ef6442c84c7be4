"""Gradients of signals at vertices, in the tangent plane, by least squares over the one-ring."""

from __future__ import annotations

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

Floats = NDArray[np.float64]

REGULARISATION = 1e-5  # relative to the one-ring's squared edge lengths; keeps one-dimensional one-rings solvable


def tangent_frames(normals: NDArray) -> Floats:
    """(V, 3, 3) orthonormal rows (first axis, second axis, normal) for unit normals (V, 3).

    The axes follow Duff et al., "Building an Orthonormal Basis, Revisited" (2017): no branch, no singular normal.
    """
    x, y, z = np.asarray(normals, np.float64).T
    sign = np.where(z < 0, -1.0, 1.0)
    a = -1.0 / (sign + z)
    b = x * y * a
    first = np.stack([1 + sign * x * x * a, sign * b, -sign * x], axis=1)
    second = np.stack([b, sign + y * y * a, -y], axis=1)
    return np.stack([first, second, np.stack([x, y, z], axis=1)], axis=1)


def gradient_operators(
    vertices: NDArray, faces: NDArray, frames: NDArray
) -> tuple[scipy.sparse.csr_matrix, scipy.sparse.csr_matrix]:
    """Sparse (V, V) derivatives along the first and the second axis of each vertex's tangent frame.

    At each vertex the gradient g minimises Σ_j (⟨g, e_j⟩ - (f_j - f_i))² over the edges to its neighbours j, where e_j
    is the edge projected into the tangent plane (Sharp et al. 2022, Section 3.3).

    Args:
        vertices: (V, 3).
        faces: (F, 3).
        frames: (V, 3, 3) rows as of `tangent_frames`.
    """
    count = len(vertices)
    tail, head = _neighbours(faces, count)
    positions = np.asarray(vertices, np.float64)
    vector = positions[head] - positions[tail]
    x, y = (np.einsum("ec,ec->e", vector, frames[tail, axis]) for axis in (0, 1))
    xx, xy, yy = (np.bincount(tail, product, minlength=count) for product in (x * x, x * y, y * y))
    bias = REGULARISATION * (xx + yy)
    xx, yy = xx + bias, yy + bias
    determinant = xx * yy - xy * xy
    inverse = np.divide(1.0, determinant, out=np.zeros(count), where=determinant > 0)
    xx, xy, yy = ((entry * inverse)[tail] for entry in (xx, xy, yy))
    table = _Differences(tail, head, count)
    return table.matrix(yy * x - xy * y), table.matrix(xx * y - xy * x)


def _neighbours(faces: NDArray, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Both directions of every edge, as (tail, head), by tail and then by head."""
    corners = np.asarray(faces, np.int64)
    after = np.roll(corners, -1, axis=1)
    forth, back = (corners * count + after).ravel(), (after * count + corners).ravel()
    keys = np.unique(np.concatenate([forth, back]))
    return keys // count, keys % count


class _Differences:
    """Matrices Σ_j weight_j (f_j - f_i) over directed edges that are sorted by tail and then by head."""

    def __init__(self, tail: NDArray[np.int64], head: NDArray[np.int64], count: int) -> None:
        self._tail, self._count = tail, count
        degree = np.bincount(tail, minlength=count)
        self._pointers = np.concatenate([[0], np.cumsum(degree + 1)])
        below = np.bincount(tail[head < tail], minlength=count)
        self._diagonal = self._pointers[:-1] + below  # rows stay sorted: the vertex itself comes after those below it
        self._places = np.arange(len(tail)) + tail + (head > tail)
        self._columns = np.empty(len(tail) + count, np.int32)
        self._columns[self._places], self._columns[self._diagonal] = head, np.arange(count)

    def matrix(self, weights: Floats) -> scipy.sparse.csr_matrix:
        values = np.empty(len(self._columns))
        values[self._places] = weights
        values[self._diagonal] = -np.bincount(self._tail, weights, minlength=self._count)
        return scipy.sparse.csr_matrix((values, self._columns, self._pointers), shape=(self._count, self._count))
