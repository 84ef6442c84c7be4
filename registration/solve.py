"""Sparse positive definite systems."""

from __future__ import annotations

import cholespy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]


def solve_positive(matrix: sparse.spmatrix, right: Floats) -> Floats:
    """Solve A x = b for a symmetric positive definite A (N, N) and b (N, K), by a Cholesky factor."""
    table = matrix.tocsc()
    table.sort_indices()
    pointers, rows = table.indptr.astype(np.int32), table.indices.astype(np.int32)
    factor = cholespy.CholeskySolverD(table.shape[0], pointers, rows, table.data, cholespy.MatrixType.CSC)
    solution = np.empty_like(right, order="C")
    factor.solve(np.ascontiguousarray(right), solution)
    return solution
