"""Kinds of rigs: a studio's fixed cameras, and one camera that is carried around a head."""

from __future__ import annotations

import math
from dataclasses import dataclass

from assets.parameter_sampler import DIGITS

Range = tuple[float, float]

# Azimuth (to the subject's left, +X) and elevation, degrees.
STUDIO_DIRECTIONS: tuple[tuple[float, float], ...] = (
    (-90.0, 0.0), (-60.0, 0.0), (-30.0, 0.0), (0.0, 0.0), (30.0, 0.0), (60.0, 0.0), (90.0, 0.0),
    (-45.0, 25.0), (0.0, 25.0), (45.0, 25.0), (-45.0, -25.0), (0.0, -25.0), (45.0, -25.0),
)  # fmt: skip
FORMATS = {"square": 1.0, "portrait": 0.75, "landscape": 4 / 3}
"""Format -> width of an image over its height."""
_MOST_APART = 25.0  # degrees between neighbours along a path: stereo needs what two of them see
_STEEPEST = 10.0  # degrees that a path rises from view to view


@dataclass(frozen=True)
class RigKind:
    """Ranges that are drawn from for a kind of rig.

    Attributes:
        distance: metres.
        margin: framed radius over the head's.
        count: views on a path; (0, 0) for a studio's, which stand where they are.
        sweep: degrees of azimuth between both ends of the path.
        elevation: degrees, of its middle.
        wave: degrees by which it rises above its middle and falls below, twice along its way.
        formats: format -> how often.
        unsteady: errors of where cameras stand and aim, over those of a studio's.
    """

    distance: Range = (1.1, 1.3)
    margin: Range = (1.06, 1.06)
    count: Range = (0, 0)
    sweep: Range = (0, 0)
    elevation: Range = (0, 0)
    wave: Range = (0, 0)
    formats: tuple[float, float, float] = (1, 0, 0)
    unsteady: float = 1.0


KINDS: dict[str, tuple[float, RigKind]] = {
    "studio": (1.0, RigKind()),
    "orbit": (0.0, RigKind((0.8, 1.6), (1.06, 1.5), (8, 60), (150, 360), (-5, 20), (5, 25), (1, 2, 1), 3.0)),
    "selfie": (0.0, RigKind((0.5, 0.75), (1.06, 1.3), (5, 24), (60, 150), (-5, 15), (5, 20), (0, 1, 0), 3.0)),
}
"""Kind -> how often it is drawn, and its ranges. What isn't drawn is there for those who ask: views cost time."""


def path_directions(count: int, sweep: float, elevation: float, wave: float) -> tuple[tuple[float, float], ...]:
    """(azimuth, elevation) in degrees of a camera that is carried along, its path's middle in front of the face.

    Paths of few views are shorter and flatter than asked, so that neighbours see enough alike; one of 360 degrees has
    its ends a step apart.
    """
    sweep = min(sweep, _MOST_APART * (count - 1))
    step = min(sweep / max(count - 1, 1), 360.0 / count)
    wave = min(wave, _STEEPEST * count / (4 * math.pi))
    rows = []
    for index in range(count):
        height = elevation + wave * math.sin(4 * math.pi * index / count)
        rows.append((round(step * (index - (count - 1) / 2), DIGITS), round(min(max(height, -60.0), 60.0), DIGITS)))
    return tuple(rows)
