"""Frames whose origin is far from everything in them, as those of maps: what computes in single precision is moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from capture.camera import Camera

_FAR = 10.0  # extents from the origin: single precision still tells a two-hundred-thousandth of the extent apart


def far_origin(points: ArrayLike) -> NDArray[np.float64]:
    """(3,) the middle of points (N, 3) that lie farther from the origin than ten times their extent, strays aside.

    Zero for others, which are in single precision as they should be.
    """
    places = np.asarray(points, np.float64)
    middle = np.median(places, axis=0)
    low, high = np.percentile(places, (5, 95), axis=0)
    far = np.abs(middle).max() > _FAR * (high - low).max()
    return middle if far else np.zeros(3)


def shifted_camera(camera: Camera, origin: ArrayLike) -> Camera:
    """The camera in the frame whose origin is the point `origin` (3,) of its own."""
    place = np.asarray(origin, np.float64)
    return replace(camera, translation=camera.translation + camera.rotation @ place) if place.any() else camera
