"""The neck as collars see it: an axis, and the radius that is clear of the body at every height and side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capture.geometry import Floats
from generator.head import HeadGeometry
from generator.wear.clothing.cloth import Surface
from generator.wear.clothing.drape import collar_level

LEAN = 0.40  # rise of the collar's plane towards the nape


@dataclass(frozen=True, eq=False)
class Neck:
    """Attributes:
    origin: (3,) middle of the neck where a collar begins, metres.
    axis, front, left: (3,) unit vectors up the neck, forward and to the subject's left.
    surface: the body, which collars keep clear of.
    floor: height above which the chest is there for what hangs down in front, metres.
    """

    origin: Floats
    axis: Floats
    front: Floats
    left: Floats
    surface: Surface
    floor: float

    def outward(self, side: Floats) -> Floats:
        """(..., 3) unit vectors away from the axis; `side` is 0 in front, pi behind, positive to the left."""
        return np.asarray(np.cos(side)[..., None] * self.front + np.sin(side)[..., None] * self.left)

    def points(self, side: Floats, height: Floats, radius: Floats) -> Floats:
        """(..., 3) from angles, metres up the axis, and metres away from it."""
        return np.asarray(self.origin + height[..., None] * self.axis + radius[..., None] * self.outward(side))

    def radius(self, side: Floats, height: Floats) -> Floats:
        """(...) metres from the axis at which the surface is met from outside."""
        radius = np.full(side.shape, 0.16)
        for _ in range(16):
            lack = self.surface.clearance(self.points(side, height, radius).reshape(-1, 3)).reshape(side.shape)
            radius = np.clip(radius - 0.9 * lack, 0.02, 0.2)
        return radius

    def headroom(self, side: Floats) -> Floats:
        """(M,) metres that a collar may rise before it meets jaw, ears or the back of the head."""
        heights = np.arange(0.0, 0.1, 0.005)
        grid = np.broadcast_to(heights[:, None], (len(heights), len(side)))
        radius = self.radius(np.broadcast_to(side, grid.shape), grid)
        blocked = radius > np.minimum.accumulate(radius, axis=0) + 0.008
        free = np.where(blocked.any(axis=0), heights[blocked.argmax(axis=0)], heights[-1]) - 0.008
        for _ in range(12):
            free = np.minimum(free, (np.roll(free, 1) + np.roll(free, -1)) / 2 + 0.0015)
        for _ in range(25):
            near = (np.roll(free, 1) + np.roll(free, -1)) / 2
            free = np.minimum(0.5 * (free + near), near + 0.0004)
        return np.maximum(free, 0.012)


def find_neck(head: HeadGeometry, surface: Surface, front: float = -0.178) -> Neck | None:
    """The neck above a collar line of the mean head; None where a head model has nothing there."""
    skin = head.skin
    level = collar_level(skin.base, front)
    ring = skin.vertices[(np.abs(level) < 0.005) & (np.abs(skin.base[:, 0]) < 0.085) & (skin.base[:, 1] > 0.03)]
    if len(ring) < 40 or np.ptp(skin.base[:, 2]) < 0.4:
        return None
    axis = np.array([0.0, -LEAN, 1.0]) / np.hypot(1, LEAN)
    left = np.array([1.0, 0.0, 0.0])
    forward = np.cross(left, axis)
    forward *= -np.sign(forward[1])
    middle = (ring.min(axis=0) + ring.max(axis=0)) / 2
    middle += axis * ((ring - middle) @ axis).mean()
    chest = (np.abs(skin.base[:, 0]) < 0.06) & (skin.base[:, 1] < 0.06) & (level > 0)
    return Neck(middle, axis, forward, left, surface, float(skin.vertices[chest, 2].min()) + 0.012)


def lay(
    surface: Surface,
    start: Floats,
    direction: Floats,
    length: Floats,
    rows: int,
    stand_off: Floats | float,
    gravity: float = 0.25,
    closed: bool = False,
) -> Floats:
    """A sheet that falls from a curve and comes to lie on the surface.

    Args:
        start, direction: (M, 3) where each column begins and whereto.
        length: (M,) metres of each column.
        stand_off: metres to keep from the surface, one number or (rows,).
        gravity: turn of the columns downwards, per 10 mm.

    Returns:
        (rows, M, 3), the start first.
    """
    step = (length / (rows - 1))[:, None]
    away = np.broadcast_to(np.asarray(stand_off, float), (rows,))
    points, track = start, [start]
    for row in range(1, rows):
        direction = direction + np.array([0, 0, -1.0]) * gravity * step / 0.01
        direction = direction / np.linalg.norm(direction, axis=1, keepdims=True)
        moved = surface.push(points + direction * step, float(away[row]))
        near = (np.roll(moved, 1, axis=0) + np.roll(moved, -1, axis=0)) / 2
        if not closed:
            near[[0, -1]] = moved[[0, -1]]
        moved = 0.4 * moved + 0.6 * near
        moved = surface.push(moved, float(away[row]))
        change = moved - points
        size = np.linalg.norm(change, axis=1, keepdims=True)
        points = points + change * np.minimum(1.0, 1.5 * step / np.maximum(size, 1e-9))
        direction = change / np.maximum(size, 1e-9)
        track.append(points)
    return np.stack(track)
