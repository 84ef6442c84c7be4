"""Points of a scan in the views: where they project to, and which views see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture import Camera
from scans.ray_casting import RayCaster

_BLOCK = 8192  # points at once: what is worked on stays in the processor's cache


def visible_in(
    camera: Camera,
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
    caster: RayCaster,
    min_cosine: float = 0,
    pixels: NDArray[np.float64] | None = None,
) -> NDArray[np.bool_]:
    """Whether a camera sees points of a surface.

    Rays run along the line of sight of the points themselves and don't end at the camera: nothing of the surface lies
    behind a camera.

    Args:
        camera: the view.
        points: (P, 3).
        normals: (P, 3) unit vectors, outwards.
        caster: rays against the surface.
        min_cosine: least cosine between the normal and the direction to the camera.
        pixels: (P, 2) where the camera projects the points to, where that is known.

    Returns:
        (P,) inside the frame, facing the camera, and nothing in between.
    """
    directions = camera.centre - points
    directions = directions / np.linalg.norm(directions, axis=1)[:, None]
    pixels = camera.project(points)[0] if pixels is None else pixels
    visible = ((directions * normals).sum(axis=1) > min_cosine) & camera.inside(pixels)
    index = np.flatnonzero(visible)
    origins = caster.origins(points[index], normals[index])
    visible[index] = caster.is_free(origins, directions[index].astype(np.float32))
    return visible


@dataclass(frozen=True, eq=False)
class Views:
    """P points in N views.

    Attributes:
        where: (N, P, 2) position in each image as a share of its width and height; NaN behind the camera.
        inside: (N, P) whether that is in the image.
        weights: (N, P) visible · max(0, cosine between normal and view direction) · inside, not normalised.
    """

    where: NDArray[np.float32]
    inside: NDArray[np.bool_]
    weights: NDArray[np.float64]


def project_views(cameras: Sequence[Camera], points: NDArray, normals: NDArray, caster: RayCaster) -> Views:
    """Project points (P, 3) with unit normals (P, 3) into all views and weigh the views."""
    shape = len(cameras), len(points)
    where, inside, weights = np.empty((*shape, 2), np.float32), np.empty(shape, bool), np.zeros(shape)
    origins = caster.origins(points, normals)
    order = _along_a_curve(origins)  # rays that follow one another meet the same part of the tree: half the time
    for first in range(0, len(order), _BLOCK):
        block = order[first : first + _BLOCK]
        near, upward, begins = points[block], normals[block], origins[block]
        for i, camera in enumerate(cameras):
            pixels, _ = camera.project(near)
            framed = camera.inside(pixels)
            directions = camera.centre - near
            rise = np.einsum("pc,pc->p", directions, upward)
            facing = np.flatnonzero(framed & (rise > 0))  # the others weigh nothing: no rays for them
            seen = facing[caster.sees(begins[facing], camera.centre)]
            shares = np.empty((len(block), 2), np.float32)
            for k, size in enumerate((camera.width, camera.height)):
                np.divide(pixels[:, k], size, out=shares[:, k], casting="same_kind")
            where[i][block], inside[i][block] = shares, framed
            directions = directions[seen]
            weights[i][block[seen]] = rise[seen] / np.sqrt(np.einsum("pc,pc->p", directions, directions))
    return Views(where, inside, weights)


def _along_a_curve(points: NDArray) -> NDArray[np.int64]:
    """An order of points (P, 3) in which neighbours in space are mostly near one another: Morton's (1966)."""
    if not len(points):
        return np.zeros(0, np.int64)
    low = points.min(axis=0)
    cells = ((points - low) * (1023 / max(np.ptp(points, axis=0).max(), 1e-30))).astype(np.uint64)
    for shift, mask in ((16, 0x30000FF), (8, 0x300F00F), (4, 0x30C30C3), (2, 0x9249249)):  # two zeros behind each bit
        cells = (cells | (cells << np.uint64(shift))) & np.uint64(mask)
    return np.argsort(cells @ np.array([1, 2, 4], np.uint64))
