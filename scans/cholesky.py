"""Sparse positive definite systems, by a Cholesky factor."""

from __future__ import annotations

import cholespy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]


class CholeskyFactor:
    """Cholesky factor of a sparse symmetric positive definite matrix A (N, N)."""

    def __init__(self, matrix: sparse.spmatrix) -> None:
        table = matrix.tocsc()
        table.sort_indices()
        pointers, rows = table.indptr.astype(np.int32), table.indices.astype(np.int32)
        values = table.data.astype(np.float64)
        self._solver = cholespy.CholeskySolverD(table.shape[0], pointers, rows, values, cholespy.MatrixType.CSC)

    def solve(self, right: Floats, solution: Floats | None = None) -> Floats:
        """The x (N, K) of A x = b for b (N, K); written to `solution` (N, K), C-contiguous, where it is given."""
        solution = np.empty(right.shape) if solution is None else solution
        self._solver.solve(np.ascontiguousarray(right), solution)
        return solution
