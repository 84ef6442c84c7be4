"""Proof of the cameras that were written, by the points of the file: distances in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from capture import Camera, SparsePoints
from capture.geometry import nearest_to_lines
from scans.imports.records import Array

_ROUNDS = 10  # of Gauss and Newton's
_LEAST = 1e-12  # that rays must tell of a place
_STEP = 1e-6  # of numerical derivatives, in distances to the camera


@dataclass(frozen=True)
class Reprojection:
    """Distances of points' images from where the file has them.

    Attributes:
        points, pixels: how many.
        median, most: of the distances, pixels; the latter is the 95th of 100. Infinite where no camera sees a point.
        triangulated: whether the points' places were computed of the same pixels.
    """

    points: int
    pixels: int
    median: float
    most: float
    triangulated: bool = False


def reprojection(cameras: Sequence[Camera], points: SparsePoints) -> Reprojection | None:
    """The distances of all points; None where there are none.

    Points whose position is NaN are put where their pixels agree best; of those, ones that a single view sees say
    nothing and are left out.
    """
    known = np.isfinite(points.positions).all(axis=1)
    use = [i for i in range(len(points)) if len(points.tracks[i]) and (known[i] or len(points.tracks[i]) > 1)]
    if not use:
        return None
    places = points.positions.copy()
    for i in use:
        if not known[i]:
            places[i] = triangulate([cameras[view] for view in points.tracks[i]], points.pixels[i])
    point = np.repeat(use, [len(points.tracks[i]) for i in use])
    view = np.concatenate([points.tracks[i] for i in use])
    wanted = np.concatenate([points.pixels[i] for i in use])
    error = np.full(len(view), np.inf)
    for number, camera in enumerate(cameras):
        rows = view == number
        if rows.any():
            pixels, _ = camera.project(places[point[rows]])
            error[rows] = np.nan_to_num(np.linalg.norm(pixels - wanted[rows], axis=1), nan=np.inf)
    most = float(np.sort(error)[min(len(error) - 1, int(0.95 * len(error)))])
    return Reprojection(len(use), len(view), float(np.median(error)), most, bool((~known[use]).any()))


def triangulate(cameras: Sequence[Camera], pixels: Array) -> Array:
    """(3,) the point whose images in the cameras are nearest to the pixels (n, 2); NaN where rays don't meet."""
    rays = np.array([camera.rays(pixel) for camera, pixel in zip(cameras, pixels, strict=True)])
    if not np.isfinite(rays).all():
        return np.full(3, np.nan)
    place, told = nearest_to_lines(np.array([camera.centre for camera in cameras]), rays, _LEAST)
    if told < _LEAST:
        return np.full(3, np.nan)
    step = _STEP * float(np.median([np.linalg.norm(place - camera.centre) for camera in cameras]))

    def residual(point: Array) -> Array:
        return np.concatenate([camera.project(point)[0] - seen for camera, seen in zip(cameras, pixels, strict=True)])

    for _ in range(_ROUNDS):
        slopes = [(residual(place + step * axis) - residual(place - step * axis)) / (2 * step) for axis in np.eye(3)]
        change = np.linalg.lstsq(np.stack(slopes, axis=1), residual(place), rcond=None)[0]
        if not np.isfinite(change).all():
            return np.full(3, np.nan)
        place = place - change
        if np.linalg.norm(change) < 1e-3 * step:
            break
    return np.asarray(place)
