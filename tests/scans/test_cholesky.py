from __future__ import annotations

import numpy as np
from scipy import sparse

from scans.cholesky import CholeskyFactor


def test_positive_definite_systems_are_solved() -> None:
    rng = np.random.default_rng(0)
    rows = sparse.random(300, 300, density=0.02, random_state=rng)
    matrix = rows.T @ rows + sparse.identity(300)
    right = rng.normal(size=(300, 3))
    factor = CholeskyFactor(matrix)
    np.testing.assert_allclose(matrix @ factor.solve(right), right, atol=1e-10)
    solution = np.empty_like(right)
    assert factor.solve(right, solution) is solution
    np.testing.assert_allclose(matrix @ solution, right, atol=1e-10)
