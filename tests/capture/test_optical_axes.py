from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from capture.optical_axes import nearest_to_axes
from tests.helpers import looking_at_origin


def test_what_all_look_at_is_found() -> None:
    target = np.array([0.2, -3.0, 1.4])
    cameras = [looking_at_origin(f"{azimuth}.png", azimuth) for azimuth in (-40.0, 0.0, 70.0)]
    moved = [replace(each, translation=each.translation - each.rotation @ target) for each in cameras]
    point, told = nearest_to_axes(moved)
    np.testing.assert_allclose(point, target, atol=1e-12)
    assert told > 0.1


def test_parallel_axes_tell_no_point() -> None:
    camera = looking_at_origin("a.png", 0.0)
    steps = np.array([[-0.1, 0, 0], [0, 0, 0], [0.1, 0, 0]])
    beside = [replace(camera, translation=camera.translation + step) for step in steps]
    point, told = nearest_to_axes(beside)
    assert told == pytest.approx(0, abs=1e-12)
    assert np.linalg.norm(np.cross(point - camera.centre, camera.direction)) == pytest.approx(0, abs=1e-9)
