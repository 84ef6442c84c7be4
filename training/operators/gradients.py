"""Gradients of signals at vertices, in the tangent plane, by least squares over the one-ring."""

from __future__ import annotations

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from training.operators.weld import mesh_edges

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
    edges = mesh_edges(faces)
    tail, head = np.concatenate([edges, edges[:, ::-1]]).T
    vector = np.asarray(vertices, np.float64)[head] - np.asarray(vertices, np.float64)[tail]
    x = np.einsum("ec,ec->e", vector, frames[tail, 0])
    y = np.einsum("ec,ec->e", vector, frames[tail, 1])
    xx, xy, yy = (np.bincount(tail, product, minlength=count) for product in (x * x, x * y, y * y))
    bias = REGULARISATION * (xx + yy)
    xx, yy = xx + bias, yy + bias
    determinant = xx * yy - xy * xy
    inverse = np.divide(1.0, determinant, out=np.zeros(count), where=determinant > 0)[tail]
    along_x = (yy[tail] * x - xy[tail] * y) * inverse
    along_y = (xx[tail] * y - xy[tail] * x) * inverse
    return _differences(along_x, tail, head, count), _differences(along_y, tail, head, count)


def _differences(weights: Floats, tail: NDArray, head: NDArray, count: int) -> scipy.sparse.csr_matrix:
    """Σ_j weight_j (f_j - f_i) as a matrix."""
    diagonal = -np.bincount(tail, weights, minlength=count)
    every = np.arange(count)
    rows, columns = np.concatenate([tail, every]), np.concatenate([head, every])
    values = np.concatenate([weights, diagonal])
    return scipy.sparse.csr_matrix((values, (rows, columns)), shape=(count, count))
