"""Source views: the other views that a view is matched with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture import Camera, InputError
from reconstruction.ranges import Volume

# Angles between viewing rays (degrees): too narrow gives no depth, too wide no likeness.
_BEST_ANGLE, _NARROW, _WIDE, _WIDEST = 20.0, 8.0, 22.0, 75.0


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Sources of one view.

    Attributes:
        views: (S,) indices of the other views, best first.
        suitability: (S,) in (0, 1].
    """

    views: NDArray[np.int64]
    suitability: NDArray[np.float32]


def find_neighbours(cameras: Sequence[Camera], volume: Volume, most: int) -> tuple[Neighbours, ...]:
    """At most `most` sources per view, by the angle under which both see the middle of the scene and by overlap.

    Raises `InputError` where a view has no source at all and fewer than three views are left.
    """
    scores = np.zeros((len(cameras), len(cameras)))
    for i in range(len(cameras)):
        for j in range(len(cameras)):
            if i != j:
                scores[i, j] = _score(cameras[i], cameras[j], volume, i)
    result = []
    for row in scores:
        order = np.argsort(-row, kind="stable")[:most]
        order = order[row[order] > 0]
        best = row[order[0]] if len(order) else 1.0
        result.append(Neighbours(order.astype(np.int64), np.clip(row[order] / best, 0.05, 1).astype(np.float32)))
    if sum(len(neighbours.views) > 0 for neighbours in result) < 3:
        raise InputError("the cameras share no view: no three of them see the same things; check the poses")
    return tuple(result)


def _score(reference: Camera, source: Camera, volume: Volume, index: int) -> float:
    """In [0, 1]: share of the reference's scene that the source sees, times how good the angle is."""
    points = _scene_points(reference, volume, index)
    pixels, _ = source.project(points)
    overlap = source.inside(pixels)
    if overlap.mean() < 0.1:
        return 0.0
    a, b = reference.centre - points, source.centre - points
    cosine = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    angle = float(np.degrees(np.median(np.arccos(np.clip(cosine, -1, 1)))))
    if angle > _WIDEST or angle < 0.5:
        return 0.0
    width = _NARROW if angle < _BEST_ANGLE else _WIDE
    return float(overlap.mean() * np.exp(-((angle - _BEST_ANGLE) ** 2) / (2 * width**2)))


def _scene_points(camera: Camera, volume: Volume, index: int) -> NDArray[np.float64]:
    """A few points of the scene: over the image at the middle depth."""
    u, v = np.meshgrid(np.linspace(0.2, 0.8, 5) * camera.width, np.linspace(0.2, 0.8, 5) * camera.height)
    return camera.unproject(np.stack([u.ravel(), v.ravel()], axis=1), (volume.near[index] + volume.far[index]) / 2)
