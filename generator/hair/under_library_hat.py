"""Hair under a hat out of a library: laid close where the hat covers the skin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from capture.geometry import Floats
from generator.geometry.distance import DistanceField, distance_field
from generator.hair.strands import Strands
from generator.head import Part

CLOSE = 0.002
"""Height of hair over the skin under a hat, metres: hats keep 2.6 mm off it."""
REACHED = 0.008
"""A hat's vertex nearer than this to a point is where the point is, metres."""
STAND_OFF = np.arange(0.0, 0.061, 0.005)
"""Heights over the skin at which the hat is looked for, metres."""


def press_under_hat(strands: Strands, hat: Floats, normals: Floats, skin: Part, field: DistanceField) -> Strands:
    """The strands, pressed to `CLOSE` over the skin where the hat covers it.

    Args:
        hat: (V, 3) vertices, metres, closer together than 5 mm; normals: (V, 3).
        skin: of the head; field: distances from it.

    Strands of covered roots that stand off farther than the field knows are dropped: they are in the hat.
    """
    covered = covered_skin(hat, normals, skin)
    points = strands.points.reshape(-1, 3)
    near = field.near(points)
    under = (near >= 0) & covered[np.maximum(near, 0)]
    pressed = points.copy()
    for _ in range(3):
        over = np.flatnonzero(under)
        lift = field.distance(pressed[over]) - CLOSE
        high = lift > 1e-4
        pressed[over[high]] -= field.gradient(pressed[over[high]]) * lift[high, None]
    brim = float(np.percentile(hat[:, 2], 5))
    lost = (near < 0) & (points[:, 2] > brim)
    kept = ~(lost.reshape(strands.points.shape[:2]).any(axis=1) & under.reshape(strands.points.shape[:2])[:, 0])
    return replace(strands, points=pressed.reshape(strands.points.shape)).keep(kept)


def covered_skin(hat: Floats, normals: Floats, skin: Part) -> NDArray[np.bool_]:
    """(V,) whether the hat lies within 6 cm over a vertex of the skin."""
    cloth = distance_field(hat, normals)
    covered = np.zeros(len(skin.vertices), bool)
    for height in STAND_OFF:
        points = skin.vertices + skin.normals * height
        near = cloth.near(points)
        covered |= (near >= 0) & (np.linalg.norm(points - hat[near], axis=1) < REACHED)
    return covered
