"""Geometry of triangle meshes and rotations, against trimesh and scipy."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from capture.geometry import (
    border_vertices,
    corner_cotangents,
    face_areas,
    face_normals,
    nearest_to_lines,
    open_edges,
    rotation_matrix,
    unique_edges,
    unit,
    vertex_areas,
    vertex_normals,
)

angles = st.floats(-10, 10, allow_nan=False)


def bumpy_ball(cut: bool = False) -> trimesh.Trimesh:
    ball = trimesh.creation.icosphere(3)
    ball.vertices *= 1 + 0.2 * np.sin(5 * ball.vertices[:, :1])
    if cut:
        ball.update_faces(ball.triangles_center[:, 2] < 0.3)
        ball.remove_unreferenced_vertices()
    return ball


@given(st.tuples(angles, angles, angles), st.floats(0, 1))
def test_rotation_matrices(vector: tuple[float, float, float], fraction: float) -> None:
    expected = Rotation.from_rotvec(fraction * np.array(vector)).as_matrix()
    np.testing.assert_allclose(rotation_matrix(vector, fraction), expected, atol=1e-12)


def test_normals_and_areas() -> None:
    ball = bumpy_ball()
    np.testing.assert_allclose(face_areas(ball.vertices, ball.faces), ball.area_faces, rtol=1e-12)
    np.testing.assert_allclose(face_normals(ball.vertices, ball.faces), ball.face_normals, atol=1e-12)
    assert vertex_areas(ball.vertices, ball.faces).sum() == pytest.approx(ball.area, rel=1e-12)
    normals = vertex_normals(ball.vertices, ball.faces)
    assert ((normals * ball.vertex_normals).sum(axis=1) > 0.99).all()
    np.testing.assert_allclose(unit(3 * normals), normals, atol=1e-12)


def test_faces_without_area_and_vertices_without_faces() -> None:
    vertices, faces = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1, 0]]), np.array([[0, 1, 2]])
    assert not face_normals(vertices, faces).any() and not face_areas(vertices, faces).any()
    assert (vertex_normals(vertices, faces) == [0, 0, 1]).all() and vertex_areas(vertices, faces)[3] == 0
    assert np.isfinite(corner_cotangents(vertices, faces)).all() and not unit(np.zeros(3)).any()


def test_cotangents() -> None:
    ball = bumpy_ball()
    np.testing.assert_allclose(corner_cotangents(ball.vertices, ball.faces), 1 / np.tan(ball.face_angles), rtol=1e-9)


def test_edges_and_borders() -> None:
    whole, cut = bumpy_ball(), bumpy_ball(cut=True)
    assert np.array_equal(
        unique_edges(cut.faces), np.sort(cut.edges_unique, axis=1)[np.lexsort(cut.edges_unique.T[::-1])]
    )
    assert not open_edges(whole.faces).any() and not border_vertices(whole.faces, len(whole.vertices)).any()
    border = border_vertices(cut.faces, len(cut.vertices))
    outline = np.unique(np.concatenate([entity.points for entity in cut.outline().entities]))
    assert np.array_equal(np.flatnonzero(border), outline)
    assert np.array_equal(border, border_vertices(cut.faces, len(cut.vertices), open_edges(cut.faces)))


def test_the_point_that_lines_meet_in_is_found() -> None:
    rng = np.random.default_rng(0)
    target, points = np.array([0.2, -3.0, 1.4]), rng.normal(size=(5, 3))
    point, told = nearest_to_lines(points, unit(target - points))
    np.testing.assert_allclose(point, target, atol=1e-12)
    assert told > 0.01


def test_parallel_lines_tell_the_middle_one_alone() -> None:
    points = np.array([[-0.1, 5.0, 0.3], [0.0, 7.0, 0.3], [0.1, -2.0, 0.3]])
    point, told = nearest_to_lines(points, np.tile([0.0, 1.0, 0.0], (3, 1)))
    np.testing.assert_allclose(point, [0, 0, 0.3], atol=1e-12)
    assert told == pytest.approx(0, abs=1e-12)
