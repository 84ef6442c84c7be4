"""Gaps in a surface that are closed, and webs that are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from capture import Camera
from reconstruction.fusion import PointCloud
from reconstruction.gaps import closed_gaps
from reconstruction.webs import SeenDepth, views_through

PIXEL = 0.001
WIDTH, WIDEST = 0.012, 0.034


def camera(x: float) -> Camera:
    """A metre above the origin, moved along x, looking straight down; a pixel is a millimetre of the ground."""
    return Camera.pinhole("view.png", (200, 200), (1000, 1000), (100, 100), np.diag([1.0, -1, -1]), [-x, 0, 1])


def on_ground(x: float, y: float, z: float) -> np.ndarray:
    return np.array([[x, y, z]])


def ground(depth: float = 1.0) -> SeenDepth:
    return SeenDepth(camera(0), np.full((200, 200), depth, np.float32))


def sheet(side: float, bulge: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray, PointCloud]:
    """A level sheet of 8 cm with a square hole in its points, and the mesh through both, which bulges in the hole.

    Returns the mesh, whether points support its vertices, and the points.
    """
    line = np.arange(-0.04, 0.0401, PIXEL)
    x, y = (axis.ravel() for axis in np.meshgrid(line, line))
    hole = np.maximum(abs(x), abs(y)) < side / 2
    vertices = np.stack([x, y, np.where(hole, bulge, 0)], axis=1)
    count = len(line)
    corner = (np.arange(count - 1)[:, None] * count + np.arange(count - 1)).ravel()
    quads = np.stack([corner, corner + 1, corner + count + 1, corner + count], axis=1)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    normals = np.tile([0.0, 0.0, 1.0], ((~hole).sum(), 1))
    cloud = PointCloud(vertices[~hole], normals, np.zeros((len(normals), 3), np.uint8), Path("unused.ply"))
    return vertices, faces, ~hole, cloud


def closed_share(side: float, bulge: float = 0.0, *seen: SeenDepth) -> float:
    vertices, faces, near, cloud = sheet(side, bulge)
    cloud = PointCloud(cloud.positions, cloud.normals, cloud.colours, cloud.path, seen=seen)
    closed = closed_gaps(vertices, faces, near, cloud, WIDTH, WIDEST, PIXEL)
    assert not closed[near].any()
    return float(closed[~near].mean())


def test_a_small_gap_is_closed_however_it_bulges() -> None:
    assert closed_share(0.006) == 1
    assert closed_share(0.006, 0.003) == 1


def test_a_larger_gap_is_closed_where_the_surface_goes_on() -> None:
    assert closed_share(0.02) == 1
    assert closed_share(0.02, 0.001) == 1
    assert closed_share(0.02, 0.004) == 0


def test_a_gap_that_is_wider_than_the_widest_stays_open() -> None:
    assert closed_share(0.036) == 0


def test_what_two_views_look_through_is_a_web_and_what_one_does_is_not() -> None:
    assert closed_share(0.006, 0.003, ground()) == 1
    assert closed_share(0.006, 0.003, ground(), ground()) == 0
    assert closed_share(0.006, 0.003, ground(0.997), ground(0.997)) == 1  # they see it


def test_gaps_at_the_back_of_a_closed_mesh_are_no_holes() -> None:
    ball = trimesh.creation.icosphere(4)
    vertices, faces = np.asarray(ball.vertices), np.asarray(ball.faces)
    hole, back = vertices[:, 2] > 0.98, vertices[:, 2] < 0
    near = ~(hole | back)
    cloud = PointCloud(vertices[near], vertices[near], np.zeros((near.sum(), 3), np.uint8), Path("unused.ply"))
    closed = closed_gaps(vertices, faces, near, cloud, 0.5**0.5, 1.0, 0.01)
    assert closed[hole].all() and not closed[~hole].any()


@pytest.mark.parametrize(
    ("height", "count"), [(0.01, 1), (0.001, 0), (-0.01, 0)], ids=["in front", "within the margin", "behind"]
)
def test_views_look_through_what_stands_in_front_of_what_they_see(height: float, count: int) -> None:
    assert views_through(on_ground(0.0, 0.0, height), [ground()], 0.002) == [count]


def test_a_view_that_sees_nothing_there_says_nothing() -> None:
    outside, empty = on_ground(0.5, 0.0, 0.01), SeenDepth(camera(0), np.zeros((200, 200), np.float32))
    assert views_through(outside, [ground()], 0.002) == [0]
    assert views_through(on_ground(0.0, 0.0, 0.01), [empty], 0.002) == [0]
    assert views_through(on_ground(0.0, 0.0, 1.5), [ground()], 0.002) == [0]  # behind the camera


def test_the_pixel_beside_an_outline_may_be_the_outline() -> None:
    depth = np.full((200, 200), 1.0, np.float32)
    depth[:, 101:] = 0.9
    there = [SeenDepth(camera(0), depth)]
    assert views_through(on_ground(0.0003, 0.0003, 0.1), there, 0.002) == [0]
    assert views_through(on_ground(-0.005, 0.0003, 0.1), there, 0.002) == [1]


def test_no_points_are_no_error() -> None:
    assert len(views_through(np.zeros((0, 3)), [ground()], 0.002)) == 0
    vertices, faces, near, cloud = sheet(0.02)
    assert not closed_gaps(vertices, faces, np.ones_like(near), cloud, WIDTH, WIDEST, PIXEL).any()
