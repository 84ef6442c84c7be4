"""The smallest eigenpairs of a mesh Laplacian."""

from __future__ import annotations

import cholespy
import numpy as np
import scipy.sparse
import scipy.sparse.linalg
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def smallest_eigenpairs(laplacian: scipy.sparse.csc_matrix, mass: Floats, count: int) -> tuple[Floats, Floats]:
    """Solve L φ = λ M φ for the `count` smallest λ.

    Shift-invert about -4π / area, just below the spectrum (the second eigenvalue of a sphere is 8π / area): the shifted
    matrix is positive definite, so a sparse Cholesky factor serves.

    Args:
        laplacian: (V, V) positive semi-definite.
        mass: (V,) positive.
        count: K, at most V.

    Returns:
        eigenvalues (K,), ascending, not negative; eigenvectors (V, K) with φᵀ M φ = 1.
    """
    size = len(mass)
    scale = 1 / np.sqrt(mass)
    symmetric = scipy.sparse.diags(scale) @ laplacian @ scipy.sparse.diags(scale)
    if count >= size - 1 or size < 4 * count:
        values, vectors = np.linalg.eigh(symmetric.toarray())
        values, vectors = values[:count], vectors[:, :count]
    else:
        values, vectors = _shift_invert(symmetric, -4 * np.pi / mass.sum(), count)
    order = np.argsort(values)
    return np.maximum(values[order], 0), _signed(vectors[:, order] * scale[:, None])


def _shift_invert(symmetric: scipy.sparse.spmatrix, shift: float, count: int) -> tuple[Floats, Floats]:
    size = symmetric.shape[0]
    factor = _Factor(symmetric - shift * scipy.sparse.identity(size))
    inverse = scipy.sparse.linalg.LinearOperator((size, size), matvec=factor.solve, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(size)  # its own seed: the same mesh gives the same vectors
    largest, vectors = scipy.sparse.linalg.eigsh(inverse, count, which="LA", v0=start, ncv=min(size, 2 * count + 1))
    return 1 / largest + shift, vectors


class _Factor:
    """A sparse Cholesky factor of a positive definite matrix."""

    def __init__(self, matrix: scipy.sparse.spmatrix) -> None:
        table = matrix.tocsc()
        table.sort_indices()
        pointers, rows = table.indptr.astype(np.int32), table.indices.astype(np.int32)
        self._solver = cholespy.CholeskySolverD(
            table.shape[0], pointers, rows, table.data.astype(np.float64), cholespy.MatrixType.CSC
        )

    def solve(self, right: Floats) -> Floats:
        solution = np.zeros_like(right, dtype=np.float64)
        self._solver.solve(np.ascontiguousarray(right, np.float64), solution)
        return solution


def _signed(vectors: Floats) -> Floats:
    """Each vector with its largest entry positive: the sign is free, and files should repeat."""
    top = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[top, np.arange(vectors.shape[1])])
    return vectors * np.where(signs == 0, 1, signs)
