"""The point that the optical axes of several cameras come nearest to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from capture.camera import Camera


def nearest_to_axes(cameras: Sequence[Camera]) -> tuple[NDArray[np.float64], float]:
    """The point (3,) with the least squared distance to all optical axes, and how well they tell it.

    The second is the smallest mean square, over directions, of the share of a step that leads away from the axes: 0
    where they are parallel, and the point is then one on the middle axis.
    """
    normal, along = np.zeros((3, 3)), np.zeros(3)
    for camera in cameras:
        across = np.eye(3) - np.outer(camera.direction, camera.direction)
        normal += across
        along += across @ camera.centre
    point = np.linalg.lstsq(normal, along, rcond=1e-6)[0]
    return np.asarray(point), float(np.linalg.eigvalsh(normal)[0]) / len(cameras)
