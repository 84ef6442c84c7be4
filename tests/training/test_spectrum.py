"""The eigensolver against dense and ARPACK solutions, on spectra that are hard for a block Krylov method."""

import logging

import numpy as np
import pytest
import robust_laplacian
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from training.operators import krylov
from training.operators.krylov import largest_eigenpairs
from training.operators.spectrum import smallest_eigenpairs


def _laplacian(meshes: list[trimesh.Trimesh]) -> tuple[scipy.sparse.csc_matrix, np.ndarray]:
    whole = trimesh.util.concatenate(meshes)
    laplacian, mass = robust_laplacian.mesh_laplacian(np.asarray(whole.vertices), np.asarray(whole.faces))
    return laplacian.tocsc(), mass.diagonal()


def _noisy(subdivisions: int, seed: int) -> trimesh.Trimesh:
    mesh = trimesh.creation.icosphere(subdivisions)
    rng = np.random.default_rng(seed)
    return trimesh.Trimesh(mesh.vertices * rng.uniform(0.97, 1.03, (len(mesh.vertices), 1)), mesh.faces, process=False)


def _check(laplacian: scipy.sparse.csc_matrix, mass: np.ndarray, count: int, expected: np.ndarray) -> None:
    values, vectors = smallest_eigenpairs(laplacian, mass, count)
    vectors = vectors.astype(np.float64)
    np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-6 * expected[-1])
    np.testing.assert_allclose(vectors.T @ (vectors * mass[:, None]), np.eye(count), atol=1e-6)
    residual = (laplacian @ vectors - mass[:, None] * vectors * values) / np.sqrt(mass)[:, None]
    scale = scipy.sparse.diags(1 / np.sqrt(mass))
    storage = 2.0**-24 * np.linalg.norm((scale @ laplacian @ scale).data) / np.sqrt(len(mass))
    assert np.linalg.norm(residual, axis=0).max() < 2 * storage


def test_equals_arpack_on_a_noisy_sphere() -> None:
    laplacian, mass = _laplacian([_noisy(4, 0)])
    shifted = (laplacian + 1e-6 * scipy.sparse.diags(mass)).tocsc()
    expected = scipy.sparse.linalg.eigsh(shifted, 64, scipy.sparse.diags(mass), 0, which="LM")[0] - 1e-6
    _check(laplacian, mass, 64, np.maximum(np.sort(expected), 0))


def test_equal_eigenvalues_are_all_found() -> None:
    """Three equal spheres: each eigenvalue comes three times as often as on one, up to fifteen times."""
    ball = trimesh.creation.icosphere(3)
    aside = [ball.copy().apply_translation([3 * i, 0, 0]) for i in range(3)]
    one = scipy.linalg.eigh(*(matrix.toarray() for matrix in _dense(ball)), eigvals_only=True, subset_by_index=[0, 29])
    _check(*_laplacian(aside), 75, np.sort(np.repeat(np.maximum(one, 0), 3))[:75])


def _dense(mesh: trimesh.Trimesh) -> tuple[scipy.sparse.csc_matrix, scipy.sparse.spmatrix]:
    laplacian, mass = _laplacian([mesh])
    return laplacian, scipy.sparse.diags(mass)


def test_more_pieces_than_eigenpairs() -> None:
    balls = [trimesh.creation.icosphere(2, radius=1 + 0.01 * i).apply_translation([3 * i, 0, 0]) for i in range(12)]
    laplacian, mass = _laplacian(balls)
    values, vectors = smallest_eigenpairs(laplacian, mass, 10)
    np.testing.assert_array_equal(values, 0)
    support = np.abs(vectors).max(axis=1).reshape(12, -1).max(axis=1)  # of each ball: the two smallest are left out
    assert (support[:2] == 0).all()
    assert (support[2:] > 0).all()


@pytest.mark.parametrize("pieces", [1, 9])
def test_dense_and_iterative_agree(pieces: int, monkeypatch: pytest.MonkeyPatch) -> None:
    laplacian, mass = _laplacian([_noisy(2, i).apply_translation([3 * i, 0, 0]) for i in range(pieces + 2)])
    dense = smallest_eigenpairs(laplacian, mass, 30)[0]
    monkeypatch.setattr("training.operators.spectrum.DENSE", 0)
    assert len(mass) > 150
    np.testing.assert_allclose(smallest_eigenpairs(laplacian, mass, 30)[0], dense, rtol=1e-6, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(1, krylov.BLOCK), st.floats(0.8, 0.99))
def test_any_positive_spectrum(seed: int, count: int, copies: int, ratio: float) -> None:
    """Eigenvalues that come up to as many times as a block has vectors, down to a few that repeat to the end."""
    rng = np.random.default_rng(seed)
    size = 200
    theta = np.maximum(ratio ** np.repeat(np.arange(size), copies)[:size], 1e-3)
    basis = np.linalg.qr(rng.standard_normal((size, size)))[0]

    def apply(rows: np.ndarray) -> np.ndarray:
        return ((rows @ basis) * theta) @ basis.T

    def inverse(rows: np.ndarray) -> np.ndarray:
        return ((rows @ basis) / theta) @ basis.T

    values, rows = largest_eigenpairs(apply, inverse, 1e-6, scipy.sparse.csr_matrix((0, size)), count)
    np.testing.assert_allclose(values, theta[:count], rtol=1e-5)
    np.testing.assert_allclose(rows @ rows.T, np.eye(count), atol=1e-7)
    np.testing.assert_allclose(apply(rows), rows * values[:, None], atol=1e-5)


def test_what_has_not_converged_is_said(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(krylov, "RELATIVE", 0.0)
    theta = 1 / np.arange(1.0, 501)
    with caplog.at_level(logging.WARNING):
        none = scipy.sparse.csr_matrix((0, 500))
        largest_eigenpairs(lambda rows: rows * theta, lambda rows: rows / theta, 0.0, none, 5)
    assert "have not converged" in caplog.text
