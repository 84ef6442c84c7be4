"""The smallest eigenpairs of a mesh Laplacian."""

from __future__ import annotations

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph
from numpy.typing import NDArray

from training.operators.krylov import largest_eigenpairs

Floats = NDArray[np.float64]

DENSE = 1200  # vertices: below, a dense solver takes less than a second
SINGLE = 2.0**-26  # typical relative error of a number rounded to single precision (2⁻²⁴ at most)


def smallest_eigenpairs(
    laplacian: scipy.sparse.csc_matrix, mass: Floats, count: int
) -> tuple[Floats, NDArray[np.float32]]:
    """Solve L φ = λ M φ for the `count` smallest λ.

    Shift-invert about -4π / area, just below the spectrum (the second eigenvalue of a sphere is 8π / area): the shifted
    matrix is positive definite, so a sparse Cholesky factor serves. The constants of the connected pieces are known to
    have λ = 0 and are set apart first; a block Krylov method finds the others (`largest_eigenpairs`). It stops when
    the residuals |M^-½ (L φ - λ M φ)| have fallen below those that storing φ in single precision leaves.

    Args:
        laplacian: (V, V) positive semi-definite, with zero row sums.
        mass: (V,) positive.
        count: K, at most V.

    Returns:
        eigenvalues (K,), ascending, not negative; eigenvectors (V, K) with φᵀ M φ = 1, in single precision.
    """
    size = len(mass)
    scale = 1 / np.sqrt(mass)
    symmetric = (scipy.sparse.diags(scale) @ laplacian @ scipy.sparse.diags(scale)).tocsr()
    if size < max(DENSE, 5 * count):
        values, vectors = np.linalg.eigh(symmetric.toarray())
        return np.maximum(values[:count], 0), _columns(vectors[:, :count].T, scale)
    null = _constants(symmetric, mass, count)
    zeros = null.shape[0]
    if zeros == count:
        return np.zeros(count), _columns(null.toarray(), scale)
    values, rows = _shift_invert(symmetric, mass, null, count - zeros)
    parts = [_columns(null.toarray(), scale), _columns(rows, scale)]
    return np.concatenate([np.zeros(zeros), np.maximum(values, 0)]), np.concatenate(parts, axis=1)


def _shift_invert(
    symmetric: scipy.sparse.csr_matrix, mass: Floats, null: scipy.sparse.csr_matrix, count: int
) -> tuple[Floats, Floats]:
    """Eigenvalues (count,) and eigenvectors as rows (count, V), without those that are known."""
    size = len(mass)
    shift = 4 * np.pi / mass.sum()
    solver = _RowSolver(symmetric + shift * scipy.sparse.identity(size))
    limit = SINGLE * np.linalg.norm(symmetric.data) / np.sqrt(size)

    def residuals(block: Floats) -> Floats:
        return (symmetric @ block.T).T + shift * block

    top, rows = largest_eigenpairs(solver.solve, residuals, limit, null, count)
    return 1 / top - shift, rows


def _constants(symmetric: scipy.sparse.csr_matrix, mass: Floats, count: int) -> scipy.sparse.csr_matrix:
    """The eigenvectors of 0 as rows of unit length: one a connected piece, at most `count`, the largest pieces."""
    pieces, labels = scipy.sparse.csgraph.connected_components(symmetric, directed=False)
    area = np.bincount(labels, mass, minlength=pieces)
    rank = np.empty(pieces, np.int64)
    rank[np.argsort(-area, kind="stable")] = np.arange(pieces)
    rows = rank[labels]
    kept = np.flatnonzero(rows < count)
    values = np.sqrt(mass[kept] / area[labels[kept]])
    return scipy.sparse.csr_matrix((values, (rows[kept], kept)), shape=(min(pieces, count), len(mass)))


class _RowSolver:
    """Solutions of a sparse positive definite system for right-hand sides that are rows."""

    def __init__(self, matrix: scipy.sparse.spmatrix) -> None:
        from scans.cholesky import CholeskyFactor  # small meshes and gradients need no cholespy

        self._factor = CholeskyFactor(matrix)
        self._right = self._solution = np.empty((0, 0))

    def solve(self, rows: Floats) -> Floats:
        """Solutions for the right-hand sides that are the rows of (B, V)."""
        if self._right.shape[1] != len(rows):
            self._right = np.empty((rows.shape[1], len(rows)))
            self._solution = np.empty_like(self._right)
        self._right[:] = rows.T
        self._factor.solve(self._right, self._solution)
        return np.ascontiguousarray(self._solution.T)


def _columns(rows: Floats, scale: Floats) -> NDArray[np.float32]:
    """(V, K) of rows (K, V), each scaled, its largest entry positive: the sign is free, and files should repeat."""
    columns = np.empty(rows.shape[::-1], np.float32)
    for first in range(0, len(rows), 16):  # few at a time: no copy of all of them in double precision
        some = rows[first : first + 16] * scale
        top = np.abs(some).argmax(axis=1)
        some[some[np.arange(len(some)), top] < 0] *= -1
        columns[:, first : first + 16] = some.T
    return columns
