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


def solve_near(
    matrix: sparse.csr_matrix, factor: CholeskyFactor, right: Floats, start: Floats, steps: int = 40
) -> Floats | None:
    """The x (N, K) of A x = b to rounding, by conjugate gradients preconditioned by the factor of a matrix near A.

    Cheaper than a factor of A where its entries changed little. None where so many steps don't reach it.

    Args:
        matrix: A (N, N), symmetric positive definite.
        factor: of the other matrix.
        right: b (N, K).
        start: (N, K) a guess.
        steps: at most.
    """
    solution = start.copy()
    residual = right - matrix @ solution
    enough = 1e-12 * np.linalg.norm(right)
    direction = np.zeros_like(solution)
    former = np.ones(right.shape[1])
    for _ in range(steps):
        if (np.linalg.norm(residual, axis=0) <= enough).all():
            return solution
        step = factor.solve(residual)
        product = np.einsum("nk,nk->k", residual, step)
        direction = step + direction * (product / former)
        image = matrix @ direction
        curvature = np.einsum("nk,nk->k", direction, image)
        rate = np.divide(product, curvature, out=np.zeros_like(product), where=curvature > 0)
        solution += rate * direction
        residual -= rate * image
        former = np.where(product > 0, product, 1.0)
    return None
