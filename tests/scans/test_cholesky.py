from __future__ import annotations

import numpy as np
from scipy import sparse

from scans.cholesky import CholeskyFactor, solve_near


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


def system(scale: float) -> sparse.csr_matrix:
    line = sparse.diags([-np.ones(199), 2 * np.ones(200), -np.ones(199)], [-1, 0, 1])
    weights = np.random.default_rng(1).uniform(0.5, 0.5 + scale, 200)
    return (line @ line + sparse.diags(weights)).tocsr()


def test_the_factor_of_a_similar_matrix_solves_to_rounding() -> None:
    matrix, factor = system(0.6), CholeskyFactor(system(0.4))
    right = np.random.default_rng(0).normal(size=(200, 3))
    right[:, 1] = 0
    solution = solve_near(matrix, factor, right, np.ones_like(right))
    assert solution is not None
    np.testing.assert_allclose(matrix @ solution, right, atol=1e-10)


def test_the_factor_of_another_matrix_is_given_up() -> None:
    factor = CholeskyFactor(sparse.identity(200))
    right = np.random.default_rng(0).normal(size=(200, 1))
    assert solve_near((system(0) * 1000).tocsr(), factor, right, np.zeros_like(right), steps=3) is None
