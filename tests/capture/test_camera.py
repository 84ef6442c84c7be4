from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture import CAMERA_MODELS, Camera, InputError
from tests.helpers import camera


@settings(deadline=None)
@given(st.integers(0, 1000), st.sampled_from(sorted(CAMERA_MODELS)))
def test_unproject_inverts_project(seed: int, model: str) -> None:
    view = camera(seed, model)
    rng = np.random.default_rng(seed + 1)
    pixels = rng.uniform([0, 0], [640, 480], (20, 2))
    if view.panoramic:
        pixels = rng.uniform([161, 1], [479, 479], (20, 2))  # the half ahead of the camera
    depth = rng.uniform(0.2, 5, 20)
    back, z = view.project(view.unproject(pixels, depth))
    np.testing.assert_allclose(back, pixels, atol=1e-6)
    np.testing.assert_allclose(z, depth, rtol=1e-9)


@given(st.integers(0, 1000))
def test_the_centre_is_where_all_rays_start(seed: int) -> None:
    view = camera(seed)
    np.testing.assert_allclose(view.rotation @ view.centre + view.translation, 0, atol=1e-12)
    near, far = (view.unproject([100.0, 200.0], depth) for depth in (1.0, 3.0))
    np.testing.assert_allclose(np.cross(near - view.centre, far - view.centre), 0, atol=1e-9)
    np.testing.assert_allclose(view.direction, view.unproject(view.principal, 1.0) - view.centre, atol=1e-9)
    above = view.unproject(np.subtract(view.principal, (0.0, view.focal[1])), 1.0)  # as far up as ahead
    np.testing.assert_allclose(view.up, above - view.centre - view.direction, atol=1e-9)


def test_points_behind_have_no_pixel() -> None:
    view = camera()
    pixels, depth = view.project(view.centre - view.direction)
    assert depth < 0 and np.isnan(pixels).all()
    assert not view.inside(pixels)


@pytest.mark.parametrize("model", sorted(CAMERA_MODELS))
def test_resizing_scales_pixels(model: str) -> None:
    view = camera(3, model)
    points = view.centre + 2 * view.rays(np.array([[10.0, 20.0], [600.0, 400.0]]))
    pixels, _ = view.project(points)
    scaled, _ = view.resized(1280, 240).project(points)
    np.testing.assert_allclose(scaled, pixels * [2, 0.5], atol=1e-6)


def test_json_round_trip_is_exact() -> None:
    view = camera(5, "OPENCV")
    again = Camera.from_json(view.to_json())
    assert again.to_json() == view.to_json()
    with pytest.raises(InputError, match="damaged camera record"):
        Camera.from_json({"name": "x"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "PERISCOPE"}, "not supported"),
        ({"params": (1.0, 2.0)}, "takes fx, fy, cx, cy"),
        ({"params": (-1.0, 1.0, 2.0, 2.0)}, "focal length positive"),
        ({"params": (np.nan, 1.0, 2.0, 2.0)}, "finite"),
        ({"rotation": np.eye(3) * 1.1}, "not a rotation"),
        ({"rotation": np.diag([1.0, 1.0, -1.0])}, "mirrors"),
        ({"rotation": np.full((3, 3), np.nan)}, "finite"),
        ({"translation": np.zeros(2)}, "translation"),
        ({"width": 0}, "no pixel"),
    ],
)
def test_bad_values_are_refused_by_name(change: dict, message: str) -> None:
    good = {"model": "PINHOLE", "params": (500.0, 500.0, 320.0, 240.0), "rotation": np.eye(3)}
    values = {"name": "view_03.png", "width": 640, "height": 480, "translation": np.zeros(3), **good, **change}
    with pytest.raises(InputError, match=r"view_03\.png.*" + message):
        Camera(**values)


@pytest.mark.parametrize("name", ["", "/data/view.png", "../view.png", "left/../../view.png", "a\0.png"])
def test_names_stay_inside_the_images_folder(name: str) -> None:
    """Stages write files of these names: one that leads elsewhere would overwrite what lies there."""
    view = camera()
    with pytest.raises(InputError, match="inside the capture's images/"):
        Camera(name, 640, 480, "PINHOLE", view.params, view.rotation, view.translation)
    assert Camera("left/0 1.png", 640, 480, "PINHOLE", view.params, view.rotation, view.translation).name
