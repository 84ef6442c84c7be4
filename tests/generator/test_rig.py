"""The default rig: directions, framing, jitter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.draw import Draw
from capture import InputError
from generator.rig import DEFAULT_DIRECTIONS, RigSpec, rig_cameras, sample_rig

CENTRE = np.array([0.01, 0.06, -0.02])


def test_front_view_is_upright_and_not_mirrored() -> None:
    front = rig_cameras(RigSpec(), CENTRE, 0.15, 512)[3]
    assert front.name == "view_03.png"
    assert front.centre == pytest.approx(CENTRE + np.array([0, -1.2, 0]))
    above, _ = front.project(CENTRE + np.array([0, 0, 0.05]))
    left, _ = front.project(CENTRE + np.array([0.05, 0, 0]))  # the subject's left is on the right of the picture
    assert above[1] < 256 - 10 and above[0] == pytest.approx(256)
    assert left[0] > 256 + 10 and left[1] == pytest.approx(256)


def test_thirteen_views_with_near_neighbours() -> None:
    cameras = rig_cameras(RigSpec(), CENTRE, 0.15, 512)
    assert len(cameras) == 13 == len(DEFAULT_DIRECTIONS)
    axes = np.array([camera.direction for camera in cameras])
    angles = np.degrees(np.arccos(np.clip(axes @ axes.T, -1, 1))) + 1000 * np.eye(13)
    assert angles.min(axis=1).max() <= 30.01


def test_from_profile_to_profile_with_some_from_above_and_below() -> None:
    axes = np.array([camera.direction for camera in rig_cameras(RigSpec(), CENTRE, 0.15, 512)])
    assert axes[:, 0].min() == pytest.approx(-1) and axes[:, 0].max() == pytest.approx(1)
    elevation = np.degrees(np.arcsin(-axes[:, 2]))
    assert (elevation > 20).sum() == (elevation < -20).sum() == 3 and (np.abs(elevation) < 1).sum() == 7


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.1, 0.25), st.sampled_from([96, 512, (640, 480)]))
def test_the_sphere_fills_every_frame(seed: int, radius: float, size: int | tuple[int, int]) -> None:
    rig = sample_rig(Draw(np.random.default_rng(seed)))
    rng = np.random.default_rng(1)
    directions = rng.standard_normal((400, 3))
    points = CENTRE + radius * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    for camera in rig_cameras(rig, CENTRE, radius, size):
        pixels, depth = camera.project(points)
        assert camera.inside(pixels).all() and (depth > 0).all()
        assert np.ptp(pixels[:, 1]) > 0.85 * camera.height
        assert np.allclose(camera.rotation @ camera.rotation.T, np.eye(3), atol=1e-9)


def test_impossible_rigs_are_refused() -> None:
    with pytest.raises(InputError, match="inside a head"):
        rig_cameras(RigSpec(distance=0.3), CENTRE, 0.3, 512)
    with pytest.raises(InputError, match="no views"):
        RigSpec(directions=())
    with pytest.raises(InputError, match="jitter"):
        RigSpec(jitter=((0.0,) * 5,))
