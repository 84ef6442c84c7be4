"""Subdivision, distance field, clipping: against analytic shapes and other libraries."""

from __future__ import annotations

import numpy as np
import pytest

from assets.geometry.subdivision import catmull_clark
from assets.head_models.head_model import triangulate
from capture.geometry import vertex_normals
from generator.geometry.clip import border_edges, clip_mesh
from generator.geometry.distance import distance_field
from tests.generator.toy_model import cube_sphere

CUBE = np.array([[x, y, z] for x in (-1.0, 1) for y in (-1.0, 1) for z in (-1.0, 1)])
CUBE_QUADS = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])


def test_cube_subdivides_as_in_the_paper() -> None:
    points, quads, _ = catmull_clark(CUBE, CUBE_QUADS)
    assert points.shape == (26, 3) and quads.shape == (24, 4)
    assert np.allclose(np.abs(points[:8]), 5 / 9)  # (F + 2 R + (n - 3) P) / n with n = 3
    assert np.allclose(np.sort(np.abs(points[8:20]), axis=1), [0, 0.75, 0.75])
    assert np.allclose(np.sort(np.abs(points[20:]), axis=1), [0, 0, 1])


def test_orientation_and_closedness_survive() -> None:
    points, quads, _ = catmull_clark(CUBE, CUBE_QUADS)
    faces = triangulate(quads)
    before = vertex_normals(CUBE, triangulate(CUBE_QUADS))
    sign = np.sign((before * CUBE).sum())
    assert np.sign((vertex_normals(points, faces) * points).sum(axis=1)).tolist() == [sign] * 26
    assert len(border_edges(faces)) == 0


def test_flat_grid_stays_flat_and_keeps_its_border_line() -> None:
    x, y = np.meshgrid(np.arange(4.0), np.arange(4.0), indexing="ij")
    points = np.stack([x, y, 0 * x], -1).reshape(-1, 3)
    index = np.arange(16).reshape(4, 4)
    quads = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1).reshape(-1, 4)
    values = points[:, :1] * 2
    fine, _, carried = catmull_clark(points, quads, values)
    assert carried is not None
    assert (fine[:, 2] == 0).all() and fine.min() == 0 and fine.max() == 3  # corners stay
    assert carried.min() == 0 and carried.max() == 6


def test_distance_to_a_sphere() -> None:
    sphere, quads = cube_sphere(160)
    faces = triangulate(quads)
    field = distance_field(sphere * 0.1, vertex_normals(sphere, faces))
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((2000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    height = rng.uniform(-0.01, 0.02, 2000)
    points = directions * (0.1 + height)[:, None]
    assert np.abs(field.distance(points) - height).max() < 0.0006
    assert (field.gradient(points) * directions).sum(axis=1).min() > 0.99


def test_clip_keeps_exactly_the_positive_side() -> None:
    sphere, quads = cube_sphere(12)
    faces = triangulate(quads)
    level = sphere[:, 2] - 0.3
    pairs, share, clipped = clip_mesh(faces, level)
    points = sphere[pairs[:, 0]] * (1 - share[:, None]) + sphere[pairs[:, 1]] * share[:, None]
    assert points[:, 2].min() == pytest.approx(0.3, abs=1e-12)
    border = np.unique(border_edges(clipped))
    assert np.allclose(points[border, 2], 0.3)

    def area(vertices: np.ndarray, triangles: np.ndarray) -> float:
        corners = vertices[triangles]
        cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        return float(np.linalg.norm(cross, axis=1).sum())

    other_pairs, other_share, other = clip_mesh(faces, -level)
    rest = sphere[other_pairs[:, 0]] * (1 - other_share[:, None]) + sphere[other_pairs[:, 1]] * other_share[:, None]
    assert area(points, clipped) + area(rest, other) == pytest.approx(area(sphere, faces))
