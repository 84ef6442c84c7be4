"""Pictures by ray casting, against projections."""

import numpy as np
import pytest
import trimesh

from capture import Camera
from scans.pictures import colours
from scans.pictures.mesh_renderer import MeshRenderer
from scans.pictures.sheets import sheet
from scans.predictions import PARTS

ROTATION = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # from -Y, Z up


@pytest.mark.parametrize("lens", [(0.0, 0.0, 0.0, 0.0), (-0.4, 0.2, 0.003, -0.002)])
def test_a_camera_sees_points_where_they_project_to(lens: tuple) -> None:
    ball = trimesh.creation.icosphere(4, 0.1)
    camera = Camera("a.png", 64, 48, "OPENCV", (90.0, 95.0, 30.0, 25.0, *lens), ROTATION, np.array([0.01, 0, 0.4]))
    fragments = MeshRenderer(ball.vertices, ball.faces).from_camera(camera)
    points = np.einsum("pk,pkc->pc", fragments.weights, ball.vertices[fragments.corners])
    pixels, depth = camera.project(points)
    rows, columns = np.nonzero(fragments.hit)
    np.testing.assert_allclose(pixels, np.stack([columns + 0.5, rows + 0.5], axis=1), atol=2e-3)
    assert (depth < 0.4).all()  # the near side
    assert (np.diff(fragments.light[len(rows) // 2 - 3 : len(rows) // 2]) < 1).all() and fragments.light.max() <= 1


@pytest.mark.parametrize(
    ("model", "params"),
    [
        ("OPENCV_FISHEYE", (90.0, 95.0, 30.0, 25.0, 0.1, -0.02, 0.01, 0.0)),
        ("FOV", (90.0, 95.0, 30.0, 25.0, 1.2)),
        ("EUCM", (30.0, 30.0, 30.0, 25.0, 0.7, 1.1)),
        ("EQUIRECTANGULAR", (64.0, 48.0)),
    ],
)
def test_every_lens_sees_points_where_they_project_to(model: str, params: tuple) -> None:
    ball = trimesh.creation.icosphere(4, 0.1)
    camera = Camera("a.png", 64, 48, model, params, ROTATION, np.array([0.01, 0, 0.14]))
    fragments = MeshRenderer(ball.vertices, ball.faces).from_camera(camera)
    points = np.einsum("pk,pkc->pc", fragments.weights, ball.vertices[fragments.corners])
    rows, columns = np.nonzero(fragments.hit)
    assert len(rows) > 100
    np.testing.assert_allclose(camera.project(points)[0], np.stack([columns + 0.5, rows + 0.5], axis=1), atol=2e-3)


def test_outside_of_the_image_circle_of_a_fisheye_is_nothing() -> None:
    ball = trimesh.creation.icosphere(3, 10.0)  # around the camera
    pose = ROTATION, np.zeros(3)
    hit = (
        MeshRenderer(ball.vertices, ball.faces[:, ::-1])
        .from_camera(Camera("a.png", 64, 64, "SIMPLE_FISHEYE", (12.0, 32.0, 32.0), *pose))
        .hit
    )
    y, x = np.mgrid[:64, :64] + 0.5
    radius = np.hypot(x - 32, y - 32)
    np.testing.assert_array_equal(hit, radius < 12 * np.pi / 2)


def test_parallel_rays_show_the_whole_mesh_upright() -> None:
    ball = trimesh.creation.icosphere(4, 0.1)
    renderer = MeshRenderer(ball.vertices + np.array([5.0, -3, 2]), ball.faces)
    fragments = renderer.orthographic((0, 1, 0), (0, 0, -1), 100)
    assert fragments.hit.mean() == pytest.approx(np.pi / 4 / 1.04**2, rel=0.02)
    height = np.einsum("pk,pk->p", fragments.weights, ball.vertices[fragments.corners][:, :, 2])
    rows = np.nonzero(fragments.hit)[0]
    assert np.corrcoef(rows, height)[0, 1] < -0.99
    picture = fragments.shade(np.tile([200.0, 0, 0], (len(ball.vertices), 1)))
    assert (picture[~fragments.hit] == 245).all() and (picture[fragments.hit][:, 1:] == 0).all()


def test_sheets_hold_all_pictures() -> None:
    red = np.full((20, 30, 3), (200, 0, 0), np.uint8)
    page = sheet([[("a", red), ("b", red)], [("c", red)]])
    assert (page == red[0, 0]).all(axis=2).sum() == 3 * 20 * 30


def test_colours_tell_labels_apart() -> None:
    labels = np.array([0, 0, 1, 1], bool), np.array([0, 1, 0, 1], bool)
    assert len(np.unique(colours.mistake_colours(*labels), axis=0)) == 4
    parts = np.arange(len(PARTS))
    assert len(np.unique(colours.part_colours(np.append(parts, -1)), axis=0)) == len(PARTS) + 1
    assert not np.isnan(colours.skin_distance_colours(np.array([0, 5, np.nan, np.inf]))).any()
