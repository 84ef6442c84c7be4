"""The outlines of lenses, and lenses as closed meshes.

Lens coordinates: outward (towards the temple), back (towards the eye), up, from the middle of the lens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.components.eyewear import EyewearSpec
from generator.geometry.solids import Mesh, sphere_like, unit

Floats = NDArray[np.float64]

OUTLINE_POINTS = 72
THICKNESS = 0.0018
"""Of a lens, metres."""
WRAP = np.tan(np.radians(4.0))
"""How the lenses turn around the face."""


@dataclass(frozen=True)
class Outline:
    """Attributes:
    power: of the superellipse, 2 an ellipse, more is squarer.
    flare: how much wider the upper edge is than the lower.
    lift: how far the outer upper corner is drawn up, in heights.
    drop: how far the outline sags towards its outer lower corner (teardrop).
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


def widened(edge: Floats, by: float) -> Floats:
    """An outline (N, 2) moved outwards by `by` metres."""
    along = unit(np.roll(edge, -1, 0) - np.roll(edge, 1, 0))
    return np.asarray(edge + by * np.stack([along[:, 1], -along[:, 0]], axis=1))


def curved(spec: EyewearSpec, plane: Floats) -> Floats:
    """(N, 3) points (N, 2) of the lens's plane on its curved front."""
    outward, up = plane.T
    back = (outward**2 + up**2) / (2 * spec.curve_mm / 1000) + WRAP * outward
    return np.stack([outward, back, up], axis=1)


def lens_mesh(spec: EyewearSpec, edge: Floats) -> Mesh:
    """A lens: front and back are parallel, the edge between them is thin so that it does not bend the shading."""
    rings = np.array([0.2, 0.4, 0.6, 0.75, 0.88, 0.96, 0.99, 1.0])
    front = np.stack([curved(spec, edge * share) for share in rings])
    back = front[::-1] + np.array([0.0, THICKNESS, 0.0])
    return sphere_like(np.zeros(3), np.concatenate([front, back]), np.array([0.0, THICKNESS, 0.0]))
