"""Views that are chosen lie around what all look at, as evenly as they can."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture import Camera, InputError
from scans.imports.spreading import spread_views
from tests.helpers import looking_at_origin


def around(centres: np.ndarray, target: np.ndarray | None = None) -> list[Camera]:
    """Cameras at centres (N, 3) that look at a point, the origin by default."""
    target = np.zeros(3) if target is None else target
    cameras = []
    for i, centre in enumerate(centres):
        forward = (target - centre) / np.linalg.norm(target - centre)
        right = np.cross(forward, [0.3, 0.1, 1])
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(forward, right), forward])
        cameras.append(Camera.pinhole(f"{i:04d}.png", (64, 48), (80, 80), (32, 24), rotation, -rotation @ centre))
    return cameras


def gaps(cameras: list[Camera], chosen: list[int]) -> np.ndarray:
    """Degrees of azimuth between neighbours on an orbit."""
    azimuth = np.sort([np.degrees(np.arctan2(*cameras[i].centre[:2])) % 360 for i in chosen])
    return np.diff([*azimuth, azimuth[0] + 360])


def test_views_of_an_orbit_are_evenly_spaced() -> None:
    orbit = [looking_at_origin(f"{i}.png", 360 * i / 180) for i in range(180)]
    found = gaps(orbit, spread_views(orbit, 13))
    assert found.min() >= 26 and found.max() <= 30  # 27.7 would be even; frames are 2 degrees apart


def test_a_video_that_rests_at_one_place_is_not_chosen_from_there_twice() -> None:
    rest = [looking_at_origin(f"a{i}.png", 0.01 * i) for i in range(200)]
    moving = [looking_at_origin(f"b{i}.png", -60 + 10 * i) for i in range(13)]
    chosen = spread_views([*rest, *moving], 13)
    assert sum(i < 200 for i in chosen) <= 1
    assert gaps([*rest, *moving], chosen)[:-1].min() > 9.9


def test_views_cover_heights_as_well_as_azimuths() -> None:
    rows = [
        np.array([np.cos(e) * np.sin(a), -np.cos(e) * np.cos(a), np.sin(e)])
        for e in (-0.5, 0, 0.5)
        for a in np.linspace(-1, 1, 21)
    ]
    cameras = around(np.array(rows))
    heights = {round(float(cameras[i].centre[2]), 3) for i in spread_views(cameras, 13)}
    assert len(heights) == 3


def test_cameras_that_look_elsewhere_are_left_out() -> None:
    orbit = [looking_at_origin(f"{i}.png", 10.0 * i) for i in range(30)]
    away = around(np.array([[0, -1, 0.5], [0.5, 1, 0.5]]), target=np.array([0, 0, 5.0]))
    assert not {30, 31} & set(spread_views([*orbit, *away], 13))


@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_as_many_views_as_asked_for_and_none_twice(seed: int, count: int) -> None:
    cameras = around(np.random.default_rng(seed).normal(size=(8, 3)))
    chosen = spread_views(cameras, count)
    assert len(set(chosen)) == len(chosen) == count and chosen == sorted(chosen) == spread_views(cameras, count)


def test_all_views_of_a_few_are_all_views_and_more_are_refused() -> None:
    cameras = around(np.random.default_rng(0).normal(size=(4, 3)))
    assert spread_views(cameras, 4) == [0, 1, 2, 3]
    with pytest.raises(InputError, match="takes 1 to 4, got 5"):
        spread_views(cameras, 5)


def test_cameras_that_look_in_parallel_can_be_chosen_from() -> None:
    cameras = [looking_at_origin("a.png", 0.0)] * 3
    assert len(spread_views(cameras, 2)) == 2
