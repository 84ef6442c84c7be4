"""Choosing a few views of many: spread around what all of them look at, as those of a rig are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from capture import Camera, InputError
from capture.geometry import nearest_to_lines
from scans.imports.records import Array

_ROUNDS = 50  # of exchanges, more than it ever takes
_CLOSE = 1e-6  # square of the distance of directions that count as one


def spread_views(cameras: Sequence[Camera], count: int) -> list[int]:
    """Indices, in order, of `count` cameras whose directions from what they look at are as different as can be.

    They repel each other, as charges on a sphere do: beginning with the farthest of those chosen before, each is
    exchanged for the camera where the sum of inverse squares of distances is least, until none gains. Cameras that
    don't see the point that all look at are left out where there are enough others. The choice is
    the same every time.

    Raises:
        InputError: where there are fewer cameras.
    """
    if count < 1 or count > len(cameras):
        raise InputError(
            f"{len(cameras)} cameras have poses and images; `views` takes 1 to {len(cameras)}, got {count}"
        )
    places = np.array([camera.centre for camera in cameras])
    centre, _ = nearest_to_lines(places, np.array([camera.direction for camera in cameras]))
    seeing = [i for i, camera in enumerate(cameras) if _sees(camera, centre)]
    candidates = np.array(seeing if len(seeing) >= count else range(len(cameras)), np.int64)
    away = places[candidates] - centre
    length = np.linalg.norm(away, axis=1, keepdims=True)
    directions = away / np.where(length > 0, length, 1.0)
    return sorted(candidates[_repelled(directions, _farthest(directions, count))].tolist())


def _sees(camera: Camera, point: Array) -> bool:
    pixel, depth = camera.project(point)
    return bool(depth > 0 and camera.inside(pixel))


def _farthest(directions: Array, count: int) -> NDArray[np.int64]:
    """The direction next to the mean, then always the one that is farthest from those before."""
    chosen = [int(np.argmax(directions @ directions.mean(axis=0)))]
    nearest = _squares(directions, directions[chosen[0]])
    while len(chosen) < count:
        nearest[chosen] = -1.0
        chosen.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, _squares(directions, directions[chosen[-1]]))
    return np.array(chosen)


def _repelled(directions: Array, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """The choice after exchanges that lower the energy."""
    chosen = chosen.copy()
    forces = np.stack([1 / np.maximum(_squares(directions, directions[i]), _CLOSE) for i in chosen])
    for _ in range(_ROUNDS):
        before = chosen.copy()
        for place in range(len(chosen)):
            energy = forces.sum(axis=0) - forces[place]
            energy[np.delete(chosen, place)] = np.inf
            best = int(np.argmin(energy))
            if energy[best] < energy[chosen[place]]:
                chosen[place] = best
                forces[place] = 1 / np.maximum(_squares(directions, directions[best]), _CLOSE)
        if (chosen == before).all():
            break
    return chosen


def _squares(directions: Array, one: Array) -> Array:
    return np.asarray(((directions - one) ** 2).sum(axis=1))
