"""Points that are put where their pixels agree best, and distances of points from them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

from capture import SparsePoints
from scans.imports.proving import reprojection, triangulate
from tests.helpers import looking_at_origin

CAMERAS = [looking_at_origin(f"{i}.png", azimuth, size=640) for i, azimuth in enumerate((-60, -20, 30, 75))]


@given(st.integers(0, 2**32 - 1))
def test_a_triangulated_point_is_where_the_sum_of_squares_is_least(seed: int) -> None:
    rng = np.random.default_rng(seed)
    point = rng.uniform(-0.1, 0.1, 3)
    pixels = np.array([camera.project(point)[0] for camera in CAMERAS]) + rng.normal(0, 5, (4, 2))

    def residual(place: np.ndarray) -> np.ndarray:
        return np.concatenate([camera.project(place)[0] - pixel for camera, pixel in zip(CAMERAS, pixels, strict=True)])

    best = least_squares(residual, point, xtol=1e-15, ftol=1e-15, gtol=1e-15).x
    assert np.abs(triangulate(CAMERAS, pixels) - best).max() < 1e-6


def test_distances_are_those_of_the_points_that_are_known() -> None:
    place = np.array([0.05, 0.0, 0.02])
    pixels = np.array([camera.project(place)[0] for camera in CAMERAS])
    moved = np.add(pixels, ((3, 0), (0, 4), (3, 4), (0, 0)))
    points = SparsePoints(place[None], np.zeros((1, 3), np.uint8), (np.arange(4),), (moved,))
    found = reprojection(CAMERAS, points)
    assert found is not None and found.median == pytest.approx(3.5) and found.most == pytest.approx(5)
    assert (found.points, found.pixels, found.triangulated) == (1, 4, False)


def test_points_of_one_view_and_none_say_nothing() -> None:
    assert reprojection(CAMERAS, SparsePoints()) is None
    unknown = SparsePoints(np.full((1, 3), np.nan), np.zeros((1, 3), np.uint8), (np.array([1]),), (np.zeros((1, 2)),))
    assert reprojection(CAMERAS, unknown) is None


def test_rays_that_dont_meet_are_far_off_and_not_left_out() -> None:
    same = [CAMERAS[0], CAMERAS[0]]
    points = SparsePoints(np.full((1, 3), np.nan), np.zeros((1, 3), np.uint8), (np.array([0, 1]),), (np.zeros((2, 2)),))
    found = reprojection(same, points)
    assert found is not None and found.median == np.inf
