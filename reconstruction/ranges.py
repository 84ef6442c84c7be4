"""Depth ranges: where the scene is along each pixel's ray, from sparse points or from the cameras alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture import Camera, InputError, SparsePoints
from capture.geometry import nearest_to_lines
from reconstruction.settings import ReconstructionSettings

Array = NDArray[np.float64]

# A sphere seen by fewer cameras can't be reconstructed.
_MIN_SEEN = 3


@dataclass(frozen=True, eq=False)
class Volume:
    """Volume that the depth search covers.

    Attributes:
        near, far: (N,) metres per view.
        centre: (3,) of a sphere that holds the scene, or None where only the ranges are known.
        radius: of that sphere, metres.
    """

    near: Array
    far: Array
    centre: Array | None = None
    radius: float = 0.0

    def pixel_ranges(self, view: int, camera: Camera) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Nearest and farthest depth (H, W) of each pixel of `camera`; 0 where its ray misses the volume."""
        shape = (camera.height, camera.width)
        near, far = np.full(shape, self.near[view]), np.full(shape, self.far[view])
        if self.centre is not None:
            grid = np.stack(np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5), axis=-1)
            rays = np.concatenate([(grid - camera.principal) / camera.focal, np.ones((*shape, 1))], axis=-1)
            local = camera.rotation @ self.centre + camera.translation
            square = (rays**2).sum(axis=-1)
            middle = rays @ local / square
            inside = middle**2 - (local @ local - self.radius**2) / square
            half = np.sqrt(np.maximum(inside, 0))
            near, far = np.maximum(near, middle - half), np.minimum(far, middle + half)
            near[inside <= 0] = far[inside <= 0] = 0
        return near.astype(np.float32), far.astype(np.float32)


def find_volume(cameras: Sequence[Camera], points: SparsePoints, settings: ReconstructionSettings) -> Volume:
    """The volume to search: as set, else around the sparse points, else what the cameras look at.

    Raises `InputError` where the cameras look at nothing in common.
    """
    if settings.depth_min is not None and settings.depth_max is not None:
        full = np.ones(len(cameras))
        return Volume(full * settings.depth_min, full * settings.depth_max)
    if len(points) >= 50:
        volume = _volume_of_points(cameras, points)
        if volume is not None:
            return volume
    return _common_volume(cameras)


def _volume_of_points(cameras: Sequence[Camera], points: SparsePoints) -> Volume | None:
    """Each view's range holds the points that it sees, with a quarter of margin; None where a view sees too few."""
    seen: list[list[int]] = [[] for _ in cameras]
    for number, views in enumerate(points.tracks):
        for view in views:
            seen[int(view)].append(number)
    near, far = np.zeros(len(cameras)), np.zeros(len(cameras))
    for i, camera in enumerate(cameras):
        depth = (points.positions[seen[i]] @ camera.rotation.T + camera.translation)[:, 2]
        depth = depth[depth > 0]
        if len(depth) < 10:
            return None
        low, high = np.percentile(depth, [1, 99])
        margin = 0.25 * (high - low) + 0.02 * low
        near[i], far[i] = max(low - margin, 0.2 * low), high + margin
    return Volume(near, far)


def _common_volume(cameras: Sequence[Camera]) -> Volume:
    """A sphere around the point nearest to all optical axes, as large as the images show at that distance."""
    centre = _point_between(cameras)
    ahead = np.array([(camera.rotation @ centre + camera.translation)[2] for camera in cameras])
    if (ahead > 0).sum() < _MIN_SEEN:
        raise InputError(
            "the cameras share no view: their axes meet behind them; check that the poses are world-to-camera"
        )
    half = [
        depth * np.hypot(camera.width / camera.focal[0], camera.height / camera.focal[1]) / 2
        for camera, depth in zip(cameras, ahead, strict=True)
        if depth > 0
    ]
    radius = float(min(np.median(half), 0.8 * ahead[ahead > 0].min()))
    if _seen_share(cameras, centre, radius) < 0.02:
        raise InputError(
            "the cameras share no view: no point is seen by three; check the poses, or give `depth_min` and `depth_max`"
        )
    near = np.maximum(ahead - radius, 0.05 * np.abs(ahead))
    return Volume(near, np.maximum(ahead + radius, 1.1 * near), centre, radius)


def _point_between(cameras: Sequence[Camera]) -> Array:
    """The point nearest to all optical axes."""
    point, told = nearest_to_lines(
        np.array([camera.centre for camera in cameras]), np.array([camera.direction for camera in cameras])
    )
    if told < 1e-3:
        raise InputError("the cameras look the same way, the depth range is unknown: give `depth_min` and `depth_max`")
    return point


def _seen_share(cameras: Sequence[Camera], centre: Array, radius: float) -> float:
    """Share of the sphere that at least three cameras see."""
    axis = np.linspace(-1, 1, 21)
    grid = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)
    grid = centre + radius * grid[(grid**2).sum(axis=1) <= 1]
    seen = np.zeros(len(grid), int)
    for camera in cameras:
        seen += camera.inside(camera.project(grid)[0])
    return float((seen >= _MIN_SEEN).mean())
