"""The outlines of lenses: one row a kind of spectacles.

A new shape is a kind in `generator.components.eyewear` (frequency, ranges of its sizes, finishes) and a row
in `OUTLINES`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capture.geometry import Floats
from generator.components.eyewear import EyewearSpec

OUTLINE_POINTS = 72


@dataclass(frozen=True)
class Outline:
    """A superellipse, bent.

    Attributes:
        power: of the superellipse, 2 an ellipse, more is squarer.
        flare: by how much the upper edge is wider than the lower, over the width.
        lift: of the outer upper corner, in heights.
        drop: of the outer lower corner, a teardrop's, in heights.
    """

    power: float
    flare: float = 0.0
    lift: float = 0.0
    drop: float = 0.0


OUTLINES: dict[str, Outline] = {
    "round": Outline(2.1),
    "rectangular": Outline(4.6, 0.05),
    "browline": Outline(3.0, 0.12),
    "aviator": Outline(2.5, 0.22, 0.0, 0.10),
    "wayfarer": Outline(3.6, 0.16, 0.05),
    "cateye": Outline(2.7, 0.14, 0.20),
}
"""Kind of `EyewearSpec` -> the shape of its lenses."""


def outline(spec: EyewearSpec) -> Floats:
    """(N, 2) outward and up, metres: a lens's edge, counter-clockwise from its outer end."""
    shape = OUTLINES[spec.kind]
    angle = 2 * np.pi * np.arange(OUTLINE_POINTS) / OUTLINE_POINTS
    x, z = np.cos(angle), np.sin(angle)
    size = (np.abs(x) ** shape.power + np.abs(z) ** shape.power) ** (-1 / shape.power)
    x, z = x * size, z * size
    x = x * (1 + shape.flare * z)
    z = z + shape.lift * np.clip(x, 0, None) ** 2 * np.clip(z, 0, 1)
    x, z = x + shape.drop * np.clip(-z, 0, 1), z - shape.drop * np.clip(x, 0, 1) * np.clip(-z, 0, 1)
    half = spec.lens_mm / 2000
    return np.stack([x * half, z * half * spec.lens_ratio], axis=1)
