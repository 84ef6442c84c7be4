"""Simplification keeps the shape, the vertices' identity, and separate surfaces apart."""

import numpy as np
import pytest
import trimesh

from training.operators import compute_operators
from training.operators.compute import LENGTH_UNIT
from training.preparation.simplify import simplify


def test_sphere_stays_a_sphere() -> None:
    ball = trimesh.creation.icosphere(5, radius=LENGTH_UNIT)
    coarse = simplify(ball.vertices, ball.faces, 800)
    assert 500 < len(coarse.vertices) <= 800
    np.testing.assert_array_equal(ball.vertices[coarse.source], coarse.vertices)
    mesh = trimesh.Trimesh(coarse.vertices, coarse.faces, process=False)
    assert mesh.area == pytest.approx(ball.area, rel=0.03)
    assert mesh.euler_number == 2
    normals = mesh.face_normals
    assert (np.einsum("fc,fc->f", normals, mesh.triangles_center) > 0).mean() > 0.999
    values = compute_operators(coarse.vertices, coarse.faces, 9).eigenvalues
    np.testing.assert_allclose(values, [0, 2, 2, 2, 6, 6, 6, 6, 6], rtol=0.05, atol=1e-3)


def test_values_are_carried_to_the_whole_scan() -> None:
    ball = trimesh.creation.icosphere(5, radius=0.1)
    coarse = simplify(ball.vertices, ball.faces, 800)
    interpolated = coarse.interpolate(coarse.vertices, ball.vertices)
    assert np.linalg.norm(interpolated - ball.vertices, axis=1).max() < 0.003
    np.testing.assert_allclose(
        coarse.interpolate(coarse.vertices[:, 0], coarse.vertices), coarse.vertices[:, 0], atol=1e-9
    )


def test_near_sheets_stay_apart() -> None:
    inner = trimesh.creation.icosphere(5, radius=0.1)
    outer = trimesh.creation.icosphere(5, radius=0.102)
    vertices = np.concatenate([inner.vertices, outer.vertices])
    faces = np.concatenate([inner.faces, outer.faces + len(inner.vertices)])
    coarse = simplify(vertices, faces, 1000)
    is_outer = coarse.source[coarse.faces] >= len(inner.vertices)
    assert (is_outer.all(axis=1) | ~is_outer.any(axis=1)).all()


def test_crumbs_and_loose_vertices_are_left_out() -> None:
    ball = trimesh.creation.icosphere(4, radius=0.1)
    crumb = trimesh.creation.icosphere(0, radius=0.001)
    vertices = np.concatenate([np.ones((5, 3)), ball.vertices, crumb.vertices + 0.3])
    faces = np.concatenate([ball.faces + 5, crumb.faces + 5 + len(ball.vertices)])
    for target in (400, 10**6):
        coarse = simplify(vertices, faces, target)
        assert coarse.source.min() >= 5
        assert coarse.source.max() < 5 + len(ball.vertices)
        np.testing.assert_array_equal(vertices[coarse.source], coarse.vertices)


def test_small_mesh_is_kept() -> None:
    box = trimesh.creation.box()
    coarse = simplify(box.vertices, box.faces, 100)
    assert len(coarse.vertices) == 8 and len(coarse.faces) == 12


def test_soup_is_refused() -> None:
    corners = np.random.default_rng(0).random((3000, 3))
    with pytest.raises(ValueError, match="too scattered"):
        simplify(corners, np.arange(3000).reshape(-1, 3), 16)
