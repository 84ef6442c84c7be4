"""Photographs without distortion, of one shape."""

from __future__ import annotations

import numpy as np
import pytest

from capture import Camera, InputError
from scans.images.undistortion import pinhole_cameras, undistort_to
from tests.helpers import looking_at_origin

POSE = looking_at_origin("a.png", 10.0, size=120, distance=0.5)
BENT = Camera("a.png", 120, 96, "OPENCV", (420, 400, 57, 50, 0.9, 0.3, 0.002, -0.001), POSE.rotation, POSE.translation)
TALL = Camera.pinhole("b.png", (90, 140), (400, 400), (45, 70), POSE.rotation, POSE.translation)


def dots(camera: Camera, points: np.ndarray, scale: int = 1) -> np.ndarray:
    """The picture that a camera takes of points: soft dots, the red of each its own."""
    taken = camera.resized(scale * camera.width, scale * camera.height)
    grid = np.stack(np.meshgrid(np.arange(taken.width) + 0.5, np.arange(taken.height) + 0.5), axis=-1)
    image = np.zeros((taken.height, taken.width, 3))
    for pixel in taken.project(points)[0]:
        image[..., 0] += 255 * np.exp(-((grid - pixel) ** 2).sum(-1) / (8 * scale**2))
    return image.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("max_side", [2048, 100])
def test_points_lie_where_the_flat_camera_sees_them(scale: int, max_side: int) -> None:
    points = POSE.unproject(np.random.default_rng(0).uniform(35, 85, (5, 2)), 0.5)
    flat = pinhole_cameras([BENT, TALL], max_side)
    assert len({(camera.width, camera.height) for camera in flat}) == 1
    assert max(flat[0].width, flat[0].height) <= max_side
    for camera, seen in zip((BENT, TALL), flat, strict=True):
        assert seen.focal[0] == seen.focal[1] and not seen.distorted and seen.name == camera.name
        picture = undistort_to(dots(camera, points, scale), camera, seen)
        assert picture.shape == (seen.height, seen.width, 3)
        x, y = seen.project(points)[0].T
        rows, columns = np.mgrid[: seen.height, : seen.width] + 0.5
        for px, py in zip(x, y, strict=True):  # the dot's middle is there, to a fraction of a pixel
            near = (np.abs(columns - px) < 3) & (np.abs(rows - py) < 3)
            light = picture[..., 0] * near
            assert light.max() > 150
            bright = light > 0.8 * light.max()
            assert np.hypot(columns[bright].mean() - px, rows[bright].mean() - py) < 0.8


def test_what_the_lens_did_not_see_is_black() -> None:
    flat = pinhole_cameras([BENT, TALL])[0]
    white = undistort_to(np.full((96, 120, 3), 255, np.uint8), BENT, flat)
    assert (white[flat.height // 2, flat.width // 2] == 255).all()
    assert (white[:10] == 0).all() and (white[-10:] == 0).all()  # the other camera is taller


def test_pictures_of_pinholes_of_one_shape_stay_as_they_are() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (120, 120, 3)).astype(np.uint8)
    (flat,) = pinhole_cameras([POSE])
    assert flat.params == POSE.params and np.array_equal(undistort_to(picture, POSE, flat), picture)


@pytest.mark.parametrize("model", ["OPENCV_FISHEYE", "DIVISION"])
def test_fisheyes_are_flattened(model: str) -> None:
    """A grid of straight lines in the world has straight lines in the flat picture."""
    shape = (0.1, 0.02, 0, 0) if model == "OPENCV_FISHEYE" else (-0.3,)
    lens = Camera("a.png", 120, 96, model, (110, 110, 60, 48, *shape), POSE.rotation, POSE.translation)
    (flat,) = pinhole_cameras([lens])
    grid = np.stack(np.meshgrid(np.arange(120) + 0.5, np.arange(96) + 0.5), axis=-1)
    ramp = flat.project(lens.unproject(grid, 1.0))[0][..., 0]  # the column in the flat picture, as the lens sees it
    seen = undistort_to(np.repeat(np.clip(2 * ramp, 0, 255).astype(np.uint8)[..., None], 3, axis=2), lens, flat)
    assert np.abs(seen[20:76, 20:100, 0] - 2 * grid[20:76, 20:100, 0]).max() < 3


def test_no_flat_camera_sees_a_panorama() -> None:
    panorama = Camera("round.png", 200, 100, "EQUIRECTANGULAR", (200, 100), POSE.rotation, POSE.translation)
    with pytest.raises(InputError, match=r"camera of round\.png: .*EQUIRECTANGULAR"):
        pinhole_cameras([POSE, panorama])
