"""Our Laplacian against geometry-central's, on meshes of every kind of badness."""

import logging

import numpy as np
import pytest
import robust_laplacian as peer
import scipy.sparse
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from training.operators import laplacian as module
from training.operators.laplacian import robust_laplacian
from training.operators.weld import weld


def check(vertices: np.ndarray, faces: np.ndarray) -> tuple[scipy.sparse.csc_matrix, np.ndarray]:
    """Ours, after comparing it with the peer's and with what every such Laplacian is."""
    ours, area = robust_laplacian(vertices, faces)
    theirs, mass = peer.mesh_laplacian(vertices, faces)
    scale = abs(theirs).max()
    assert abs(ours - theirs).max() <= 1e-8 * scale
    np.testing.assert_allclose(area, mass.diagonal(), rtol=1e-8)
    assert abs(ours - ours.T).max() <= 1e-12 * scale
    assert np.abs(ours.sum(axis=1)).max() <= 1e-12 * scale
    apart = ours - scipy.sparse.diags(ours.diagonal())
    assert apart.max() <= 1e-5  # no negative weight, but for what `FLAT` lets pass
    return ours, area


def noisy(subdivisions: int, amount: float) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and faces of a sphere whose vertices are off by this share."""
    mesh = trimesh.creation.icosphere(subdivisions)
    radii = np.random.default_rng(0).uniform(1 - amount, 1 + amount, (len(mesh.vertices), 1))
    return np.asarray(mesh.vertices * radii), np.asarray(mesh.faces)


def test_an_icosahedron_has_the_weights_of_the_cotangent_formula() -> None:
    vertices, faces = noisy(0, 0.0)
    ours, area = check(vertices, faces)
    edge = np.linalg.norm(vertices[faces[0, 0]] - vertices[faces[0, 1]])
    np.testing.assert_allclose(area, 5 * np.sqrt(3) / 4 * edge**2 / 3)
    np.testing.assert_allclose(ours.diagonal(), 5 / np.sqrt(3))


@pytest.mark.parametrize("amount", [0.02, 0.2])
def test_a_noisy_sphere(amount: float) -> None:
    check(*noisy(3, amount))


def test_a_sheet_with_a_border() -> None:
    vertices, faces = noisy(3, 0.2)
    half = weld(vertices, faces[: len(faces) // 2])
    check(half.vertices, half.faces)


def test_faces_turned_the_wrong_way_round_change_nothing() -> None:
    vertices, faces = noisy(2, 0.2)
    turned = faces.copy()
    turned[::3] = turned[::3, ::-1]
    ours, area = check(vertices, turned)
    straight, same = robust_laplacian(vertices, faces)
    assert abs(ours - straight).max() < 1e-12
    np.testing.assert_allclose(area, same)


@pytest.mark.parametrize("pages", [3, 4, 7])
def test_any_number_of_faces_at_one_edge(pages: int) -> None:
    angle = np.random.default_rng(pages).permutation(np.linspace(0, 6, pages))
    leaves = np.stack([1.3 * np.cos(angle), 1.3 * np.sin(angle), 0.2 + 0.1 * angle], axis=1)
    vertices = np.concatenate([[[0, 0, 0], [0, 0, 1]], leaves])
    faces = np.array([[0, 1, k + 2] if k % 2 else [1, 0, k + 2] for k in range(pages)])
    check(vertices, faces)


def test_slivers_are_made_thick_enough_to_count_with() -> None:
    vertices, faces = noisy(2, 0.05)
    flat = vertices.copy()
    a, b, c = faces[0]
    flat[c] = (flat[a] + flat[b]) / 2  # its faces have no area left, or nearly none
    ours, area = check(flat, faces)
    assert np.isfinite(ours.data).all()
    assert (area > 0).all()


@given(st.integers(5, 14), st.integers(1, 60), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_triangles_thrown_together(vertices: int, faces: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = np.stack([rng.permutation(vertices)[:3] for _ in range(faces)])
    soup = weld(rng.random((vertices, 3)), corners)
    check(soup.vertices, soup.faces)


def test_flipping_without_end_is_reported(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    vertices, faces = noisy(2, 0.3)
    monkeypatch.setattr(module, "MOST_FLIPS", 0)
    with caplog.at_level(logging.WARNING):
        robust_laplacian(vertices, faces)
    assert "still flipped" in caplog.text
