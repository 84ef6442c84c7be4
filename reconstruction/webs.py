"""Webs of a mesh: surface that Poisson draws through space that the images look through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from capture import Camera
from capture.geometry import Floats

_FAR = np.float32(1e9)


class SeenDepth(NamedTuple):
    """A view's camera, and the depth (H, W) of what it sees, metres, 0 where unknown."""

    camera: Camera
    depth: NDArray[np.float32]


def views_through(points: Floats, seen: Sequence[SeenDepth], margin: float) -> NDArray[np.int64]:
    """(P,) number of the views that look through each point (P, 3): they see a surface more than `margin` behind it.

    The nearest depth next to the point's pixel counts: beside an outline, the one behind it is half a pixel away.
    """
    count = np.zeros(len(points), np.int64)
    for camera, depth in seen:
        nearest = ndimage.minimum_filter(np.where(depth > 0, depth, _FAR), 3)
        pixels, distance = camera.project(points)
        inside = camera.inside(pixels) & (distance > 0)
        columns, rows = np.floor(np.where(inside[:, None], pixels, 0)).astype(int).T
        columns, rows = np.minimum(columns, camera.width - 1), np.minimum(rows, camera.height - 1)
        known = depth[rows, columns] > 0
        count += inside & known & (nearest[rows, columns] > distance + margin)
    return count
