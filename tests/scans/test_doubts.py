"""Regions in doubt, on a ball whose doubtful caps are known."""

from __future__ import annotations

import numpy as np

from capture import Mesh
from scans.doubts import doubtful_regions, place_of
from scans.viewer.pose import Pose
from tests.scans.viewer.made import RADIUS, ball

BALL = ball(180, 240)  # edges of about 2 mm
POSE = Pose(np.array([0, 0, 1.0]), np.array([0, -1.0, 0]), np.zeros(3), RADIUS * np.sqrt(3))


def cap(direction: tuple[float, float, float], height: float) -> np.ndarray:
    """Vertices of a cap: its area is 2 pi r h (Archimedes)."""
    towards = np.array(direction) / np.linalg.norm(direction)
    return np.asarray(BALL.vertices @ towards > RADIUS - height)


def test_caps_in_doubt_are_found_with_their_areas_and_places() -> None:
    probability = np.full(len(BALL.vertices), 0.99)
    probability[cap((0, -1, 0), 0.004)] = 0.5
    probability[cap((1, 0, 0), 0.008)] = 0.3
    probability[cap((0, 0, -1), 0.0001)] = 0.5  # 0.6 cm²: too small to tell
    first, second = doubtful_regions(BALL, probability, POSE)
    assert abs(first.area_cm2 / (1e4 * 2 * np.pi * RADIUS * 0.008) - 1) < 0.1
    assert abs(second.area_cm2 / (1e4 * 2 * np.pi * RADIUS * 0.004) - 1) < 0.1
    assert (first.place, second.place) == ("middle left, side", "middle, front")
    assert first.middle[0] > 0.09 and second.middle[1] < -0.09


def test_the_border_of_the_skin_is_no_doubt() -> None:
    z = BALL.vertices[:, 2]
    probability = np.clip(0.5 + z / 0.008, 0.01, 0.99)  # a band of 4 mm all around, 25 cm²
    assert doubtful_regions(BALL, probability, POSE) == []
    assert doubtful_regions(BALL, np.clip(0.5 + z / 0.03, 0.01, 0.99), POSE) != []  # 15 mm wide it is


def test_all_or_nothing_in_doubt() -> None:
    assert doubtful_regions(BALL, np.ones(len(BALL.vertices)), POSE) == []
    (every,) = doubtful_regions(BALL, np.full(len(BALL.vertices), 0.5), POSE)
    assert abs(every.area_cm2 / (4e4 * np.pi * RADIUS**2) - 1) < 0.05


def test_regions_that_touch_nowhere_are_two() -> None:
    mesh = Mesh(BALL.vertices, BALL.faces)
    probability = np.full(len(mesh.vertices), 0.01)
    probability[cap((0.3, -1, 0.9), 0.005) | cap((-0.3, -1, -0.9), 0.005)] = 0.6
    assert sorted(each.place for each in doubtful_regions(mesh, probability, POSE)) == ["lower, front", "upper, front"]


def test_left_is_the_subjects_left() -> None:
    assert place_of(np.array([RADIUS, 0, 0]), POSE) == "middle left, side"
    assert place_of(np.array([0, RADIUS, RADIUS]), POSE) == "top, back"
