"""Distances to a surface, and its sides."""

from __future__ import annotations

import numpy as np
import trimesh

from capture import HeadSurface
from scans.distance import closest_points, inside_or_outside, surface_distance


def ball(radius: float = 0.1, level: int = 4) -> HeadSurface:
    mesh = trimesh.creation.icosphere(level, radius)
    return HeadSurface(mesh.vertices, mesh.faces)


def test_distance_agrees_with_an_analytic_sphere() -> None:
    points = np.random.default_rng(0).normal(size=(500, 3)) * 0.1
    distance, _ = surface_distance(points, ball(level=6))
    assert np.allclose(distance, np.abs(np.linalg.norm(points, axis=1) - 0.1), atol=2e-5)


def test_distance_agrees_with_trimesh() -> None:
    head = ball(level=2)
    points = np.random.default_rng(1).normal(size=(300, 3)) * 0.1
    corners = np.tile(head.vertices.astype(float)[head.faces], (len(points), 1, 1))
    each = np.repeat(points, len(head.faces), axis=0)  # every point with every triangle
    nearest = trimesh.triangles.closest_point(corners, each)
    expected = np.linalg.norm(nearest - each, axis=1).reshape(len(points), -1).min(axis=1)
    assert np.allclose(surface_distance(points, head)[0], expected, atol=1e-9)


def test_sides_of_an_open_surface() -> None:
    """Against the analytic sphere; its open bottom can't say."""
    ball_ = trimesh.creation.icosphere(4, 0.1)
    open_ball = HeadSurface(ball_.vertices, ball_.faces[ball_.triangles_center[:, 2] > -0.06])
    points = np.random.default_rng(0).normal(size=(2000, 3)) * 0.08
    _, nearest, where = closest_points(points, open_ball)
    side = inside_or_outside(points, open_ball, nearest, where)
    true = np.where(np.linalg.norm(points, axis=1) > 0.1, 1, -1)
    below = points[:, 2] < -0.07
    clear = np.abs(np.linalg.norm(points, axis=1) - 0.1) > 0.001  # the facets lie inside the sphere
    assert (side[~below & clear] == true[~below & clear])[side[~below & clear] != 0].all()
    assert (side[points[:, 2] > 0.0] != 0).all() and (side[below & (true < 0)] == 0).mean() > 0.9
