"""The outlines of lenses, from the style of the frame."""

from __future__ import annotations

import numpy as np

from capture.geometry import Floats
from generator.components.eyewear import EyewearSpec
from generator.components.frame_styles import FRAME_STYLES

OUTLINE_POINTS = 72


def outline(spec: EyewearSpec) -> Floats:
    """(N, 2) outward and up, metres: a lens's edge, counter-clockwise from its outer end."""
    shape = FRAME_STYLES[spec.kind].lens
    angle = 2 * np.pi * np.arange(OUTLINE_POINTS) / OUTLINE_POINTS
    x, z = np.cos(angle), np.sin(angle)
    size = (np.abs(x) ** shape.power + np.abs(z) ** shape.power) ** (-1 / shape.power)
    x, z = x * size, z * size
    x = x * (1 + shape.flare * z)
    z = z + shape.lift * np.clip(x, 0, None) ** 2 * np.clip(z, 0, 1)
    x, z = x + shape.drop * np.clip(-z, 0, 1), z - shape.drop * np.clip(x, 0, 1) * np.clip(-z, 0, 1)
    half = spec.lens_mm / 2000
    return np.stack([x * half, z * half * spec.lens_ratio], axis=1)
