"""Lenses as closed meshes.

Lens coordinates: outward (towards the temple), back (towards the eye), up, from the middle of the lens.
"""

from __future__ import annotations

import numpy as np

from capture.geometry import Floats, MeshArrays, unit
from generator.components.eyewear import EyewearSpec
from generator.geometry.solids import sphere_like

THICKNESS = 0.0018
"""Of a lens, metres."""
WRAP = np.tan(np.radians(4.0))
"""Slope by which the lenses turn around the face."""


def widened(edge: Floats, by: float) -> Floats:
    """An outline (N, 2) moved outwards by `by` metres."""
    along = unit(np.roll(edge, -1, 0) - np.roll(edge, 1, 0))
    return np.asarray(edge + by * np.stack([along[:, 1], -along[:, 0]], axis=1))


def curved(spec: EyewearSpec, plane: Floats) -> Floats:
    """(N, 3) points (N, 2) of the lens's plane on its curved front."""
    outward, up = plane.T
    back = (outward**2 + up**2) / (2 * spec.curve_mm / 1000) + WRAP * outward
    return np.stack([outward, back, up], axis=1)


def lens_mesh(spec: EyewearSpec, edge: Floats) -> MeshArrays:
    """A lens: front and back are parallel, the edge between them is thin so that it does not bend the shading."""
    rings = np.array([0.2, 0.4, 0.6, 0.75, 0.88, 0.96, 0.99, 1.0])
    front = np.stack([curved(spec, edge * share) for share in rings])
    back = front[::-1] + np.array([0.0, THICKNESS, 0.0])
    return sphere_like(np.zeros(3), np.concatenate([front, back]), np.array([0.0, THICKNESS, 0.0]))
