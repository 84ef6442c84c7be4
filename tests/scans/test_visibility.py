"""Points in views: visibility by ray casting, against every ray and every face."""

import numpy as np
import pytest
import trimesh

from capture import Mesh, vertex_normals
from labeling.visibility import head_caster
from scans.ray_casting import OFFSET, RayCaster
from scans.visibility import _along_a_curve, project_views, visible_in
from tests.helpers import looking_at_origin
from tests.training.toy import toy_camera


def _brute_force_sees(vertices, faces, point, normal, target, offset) -> bool:
    """Möller and Trumbore's test of one ray against every face."""
    start = point + offset * normal
    way = target - start
    a, b, c = (vertices[faces[:, i]].astype(float) for i in range(3))
    e1, e2 = b - a, c - a
    p = np.cross(way, e2)
    determinant = np.einsum("fc,fc->f", e1, p)
    inverse = 1 / np.where(determinant == 0, np.inf, determinant)
    t = start - a
    u = np.einsum("fc,fc->f", t, p) * inverse
    q = np.cross(t, e1)
    v = (q @ way) * inverse
    distance = np.einsum("fc,fc->f", e2, q) * inverse
    return not ((u >= 0) & (v >= 0) & (u + v <= 1) & (distance > 0) & (distance < 1)).any()


def _two_spheres():
    """A large and a small sphere in front of it, which hides a part."""
    ball = trimesh.creation.icosphere(2, radius=0.1)
    small = trimesh.creation.icosphere(2, radius=0.03)
    vertices = np.concatenate([ball.vertices, small.vertices + np.array([0.02, -0.16, 0])])
    return vertices, np.concatenate([ball.faces, small.faces + len(ball.vertices)])


def test_visibility_equals_brute_force() -> None:
    vertices, faces = _two_spheres()
    normals, caster = vertex_normals(vertices, faces), RayCaster(vertices, faces)
    cameras = [toy_camera(i, 3) for i in range(3)]
    views = project_views(cameras, vertices, normals, caster)
    hidden = 0
    for camera, weights in zip(cameras, views.weights, strict=True):
        way = camera.centre - vertices
        cosine = (way * normals).sum(1) / np.linalg.norm(way, axis=1)
        inside = camera.inside(camera.project(vertices)[0])
        assert (weights[~inside] == 0).all()
        for i in np.flatnonzero((cosine > 0) & inside):
            sees = _brute_force_sees(vertices, faces, vertices[i], normals[i], camera.centre, caster.offset)
            hidden += not sees
            assert weights[i] == pytest.approx(cosine[i] if sees else 0)
        assert (weights[cosine <= 0] == 0).all()
    assert hidden >= 5


def test_points_are_ordered_along_a_curve() -> None:
    cells = np.stack(np.meshgrid(*[np.arange(8)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    shuffled = np.random.default_rng(0).permutation(cells)
    walk = shuffled[_along_a_curve(shuffled / 8)]
    assert len({tuple(cell) for cell in walk}) == 512
    assert np.abs(np.diff(walk, axis=0)).sum(1).mean() < 2.5 < np.abs(np.diff(shuffled, axis=0)).sum(1).mean()
    assert len(_along_a_curve(np.zeros((0, 3)))) == 0


def test_visibility_sees_what_hides() -> None:
    near, far = trimesh.creation.icosphere(3, 0.02), trimesh.creation.icosphere(3, 0.1)
    vertices = np.concatenate([near.vertices - np.array([0, 0.3, 0]), far.vertices])
    mesh = Mesh(vertices, np.concatenate([near.faces, far.faces + len(near.vertices)]))
    points = np.array([[0, -0.1, 0], [0.08, -0.06, 0], [0, 0.1, 0.0]])
    seen = visible_in(looking_at_origin("a.png", 0.0), points, points / 0.1, head_caster(mesh))
    assert seen.tolist() == [False, True, False]


def test_offsets_follow_the_mesh_or_are_the_same_for_all() -> None:
    """A point on a step is seen past it where rays start above it, in any unit and anywhere."""
    low, high = trimesh.creation.box((1, 1, 0.01)), trimesh.creation.box((0.1, 1, 0.01))
    high.apply_translation((0.3, 0, 4e-4))
    vertices = np.concatenate([low.vertices, high.vertices])
    faces = np.concatenate([low.faces, high.faces + len(low.vertices)])
    point, up, target = np.array([[0.0, 0, 0.005]]), np.array([[0.0, 0, 1]]), np.array([5.0, 0, 0.0055])
    for unit, shift in ((1.0, 0.0), (1000.0, 0.0), (1.0, 20.0)):
        assert RayCaster(unit * vertices + shift, faces).offset == pytest.approx(unit * OFFSET * np.sqrt(2), rel=1e-3)
        for offset, free in ((None, True), (2e-4 * unit, False), (6e-4 * unit, True)):
            caster = RayCaster(unit * vertices + shift, faces, offset)
            assert caster.sees(caster.origins(unit * point + shift, up), unit * target + shift).tolist() == [free]


def test_first_hits_tell_face_place_and_distance() -> None:
    ball = trimesh.creation.icosphere(2, 0.1)
    caster = RayCaster(ball.vertices + 3.0, ball.faces)
    origins = caster.local(np.array([[3.0, 2.0, 3.0], [3.0, 2.0, 9.0]]))
    hits = caster.first_hits(origins, np.array([[0, 1, 0], [0, 1, 0]], np.float32))
    corners = ball.vertices[ball.faces[hits.face[0]]]
    place = (1 - hits.u[0] - hits.v[0]) * corners[0] + hits.u[0] * corners[1] + hits.v[0] * corners[2]
    np.testing.assert_allclose(place, [0, hits.distance[0] - 1, 0], atol=1e-6)
    assert hits.face[1] == -1 and np.isinf(hits.distance[1])
    assert len(caster.first_hits(origins[:0], origins[:0]).face) == len(caster.is_free(origins[:0], origins[:0])) == 0
