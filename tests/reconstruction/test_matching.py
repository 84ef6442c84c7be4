"""The matching cost against plain formulas in double precision."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from reconstruction.patchmatch.detail import packed_corners
from reconstruction.patchmatch.matching import WORST, falling, patch_cost, prepare_patch
from reconstruction.patchmatch.sweep import window

LIMIT = 0.02
SHAPE = (50, 70)
DXS, DYS = window(4, 2)


def texture(seed: int) -> NDArray[np.float32]:
    image = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=SHAPE), 1.5)
    return np.asarray(LIMIT * np.tanh(image / image.std()), np.float32)


def prepared(
    guide: NDArray[np.float32], image: NDArray[np.float32], x: int, y: int
) -> tuple[float, NDArray[np.float32], NDArray[np.float32]]:
    weights, centred = np.empty(len(DXS), np.float32), np.empty(len(DXS), np.float32)
    deviation = prepare_patch(
        guide, packed_corners(image, LIMIT), x, y, DXS, DYS, 4, np.float32(0.03), weights, centred
    )
    return deviation, weights, centred


def test_packed_corners_hold_a_pixel_and_its_neighbours() -> None:
    image = texture(0)
    packed = packed_corners(image, LIMIT)
    corners = [(packed >> shift & 255) / 127.5 - 1 for shift in (0, 8, 16, 24)]
    padded = np.pad(image, ((0, 1), (0, 1)), "edge") / LIMIT
    for value, wanted in zip(
        corners, (padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]), strict=True
    ):
        assert np.abs(value - wanted).max() <= 0.5 / 127.5 + 1e-6


def test_falling_is_near_the_exponential_function() -> None:
    x = np.linspace(0, 100, 2001)
    values = np.array([falling(np.float32(value)) for value in x])
    assert np.abs(values - np.exp(-x)).max() < 0.012
    assert (np.diff(values) <= 0).all() and values[0] == 1 and values[-1] == 0


def test_weights_of_a_patch_fall_with_distance_and_difference() -> None:
    guide = np.full(SHAPE, 0.5, np.float32)
    guide[:, 33:] = 0.9  # another surface
    _, weights, centred = prepared(guide, texture(0), 30, 20)
    assert weights.sum() == pytest.approx(1, abs=1e-5) and centred.sum() == pytest.approx(0, abs=1e-4)
    assert (weights[DXS >= 3] < 1e-3).all()
    near = DXS < 3
    distance = (DXS**2 + DYS**2)[near]
    assert np.abs(weights[near] / weights.max() - np.exp(-distance / 32)).max() < 0.02


@pytest.mark.parametrize("place", [(30, 20), (2, 47), (69, 0)])  # the last two beside edges of the image
def test_cost_is_that_of_weighted_correlation_under_the_homography(place: tuple[int, int]) -> None:
    x, y = place
    image, source = texture(1), texture(1)
    guide = np.full(SHAPE, 0.5, np.float32)
    deviation, weights, centred = prepared(guide, image, x, y)
    h = np.array([x + 0.4, y - 0.3 if y else 0.3, 1.0])
    h[:2] = np.clip(h[:2], 0, (SHAPE[1] - 1, SHAPE[0] - 1))
    gx, gy = np.array([0.95, 0.1, 3e-4]), np.array([-0.07, 1.05, -2e-4])
    moved = h[:, None] + gx[:, None] * DXS + gy[:, None] * DYS
    columns, rows = moved[:2] / moved[2]
    there = ndimage.map_coordinates(source.astype(float), [rows, columns], order=1, mode="nearest")
    here = image[np.clip(y + DYS, 0, SHAPE[0] - 1).astype(int), np.clip(x + DXS, 0, SHAPE[1] - 1).astype(int)]
    w = weights.astype(float)
    one, two = here - w @ here, there - w @ there
    assert deviation == pytest.approx(np.sqrt(w @ one**2) * 127.5 / LIMIT, rel=0.02)
    correlation = w @ (one * two) / np.sqrt((w @ one**2) * (w @ two**2))
    packed, narrow = packed_corners(source, LIMIT), np.float32
    cost = patch_cost(
        packed, SHAPE[1], SHAPE[0], DXS, DYS, weights, centred, h.astype(narrow), gx.astype(narrow), gy.astype(narrow),
        narrow(1),
    )  # fmt: skip
    assert cost == pytest.approx(1 - correlation, abs=0.02)
    outside = np.array([-1, y, 1], np.float32)
    assert patch_cost(
        packed, SHAPE[1], SHAPE[0], DXS, DYS, weights, centred, outside, gx.astype(narrow), gy.astype(narrow), narrow(1)
    ) == WORST  # fmt: skip
