"""An eyeball of quads with the pole at the pupil, dense enough to be rendered as it stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assets.head_models.head_model import FloatArray, IntArray

IRIS_RADIUS = 0.0059
PUPIL_RADIUS = 0.0019
SEGMENTS = 32


@dataclass(frozen=True)
class Eyeball:
    """A unit sphere that looks to -Y: vertices (V, 3), quads (Q, 4) counter-clockwise from outside.

    angles (V,): from the gaze axis, radians. uvs (V, 2): the distance from (0.5, 0.5) is angle / (2 pi), so
    that a texture or a shader needs no seam; the direction is that of the vertex seen from in front.
    """

    vertices: FloatArray
    polygons: IntArray
    angles: FloatArray
    uvs: FloatArray


def eyeball(iris: float, pupil: float) -> Eyeball:
    """The eyeball whose iris and pupil end at the given angles from the gaze axis (radians): a ring lies on each."""
    rings = np.concatenate(
        [
            [pupil * 0.5, pupil],
            np.linspace(pupil, iris, 4)[1:],
            np.linspace(iris, np.pi / 2, 9)[1:],
            np.linspace(np.pi / 2, np.pi, 8)[1:-1],
        ]
    )
    turn = np.arange(SEGMENTS) * (2 * np.pi / SEGMENTS)
    ring_angles = np.repeat(rings, SEGMENTS)
    directions = np.tile(turn, len(rings))
    angles = np.concatenate([[0.0], ring_angles, [np.pi]])
    directions = np.concatenate([[0.0], directions, [0.0]])
    across = np.stack([np.cos(directions), np.sin(directions)], axis=1)
    side = np.sin(angles)[:, None] * across
    vertices = np.stack([side[:, 0], -np.cos(angles), side[:, 1]], axis=1)
    uvs = 0.5 + across * (angles / (2 * np.pi))[:, None]
    return Eyeball(vertices, _quads(len(rings)), angles, uvs.astype(np.float32))


def _quads(rings: int) -> IntArray:
    here = np.arange(SEGMENTS)
    following = (here + 1) % SEGMENTS
    bands = [
        np.stack([here + inner, following + inner, following + outer, here + outer], axis=1)
        for inner, outer in ((1 + r * SEGMENTS, 1 + (r + 1) * SEGMENTS) for r in range(rings - 1))
    ]
    even = here[::2]
    last = 1 + (rings - 1) * SEGMENTS
    pole = rings * SEGMENTS + 1
    front = np.stack([np.zeros_like(even), (even + 2) % SEGMENTS + 1, even + 2, even + 1], axis=1)
    back = np.stack([np.full_like(even, pole), even + last, even + 1 + last, (even + 2) % SEGMENTS + last], axis=1)
    quads = np.concatenate([front, *bands, back])
    return np.ascontiguousarray(quads[:, ::-1], dtype=np.int32)
