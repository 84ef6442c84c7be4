"""Sizes of pixels on what is photographed, which a level of detail goes by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capture import Camera


def pixel_size(camera: Camera, point: NDArray[np.float64]) -> float:
    """The side of a pixel at the distance of a point (3,), metres."""
    return float(np.linalg.norm(camera.centre - point)) / max(camera.focal)
