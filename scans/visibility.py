"""Which views see which points of a scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray

from capture import Camera

OFFSET = 5e-4  # of the scan's diagonal: how far above the surface rays start, so that their own face doesn't stop them
_BLOCK = 8192  # points at once: what is worked on stays in the processor's cache


class RayCaster:
    """Occlusion queries against a mesh.

    Args:
        vertices: (V, 3).
        faces: (F, 3).
    """

    def __init__(self, vertices: NDArray, faces: NDArray) -> None:
        # Around the origin, as Embree computes in single precision.
        self._origin = np.asarray(vertices, np.float64).mean(axis=0)
        local = np.asarray(vertices, np.float64) - self._origin
        self._offset = OFFSET * float(np.linalg.norm(np.ptp(local, axis=0)))
        self._scene = EmbreeScene()
        TriangleMesh(self._scene, local.astype(np.float32), np.ascontiguousarray(faces, np.int32))

    def starts(self, points: NDArray, normals: NDArray) -> NDArray[np.float32]:
        """(P, 3) where rays from surface points (P, 3) with unit normals (P, 3) begin, for `sees`."""
        lifted = np.asarray(points, np.float64) - self._origin
        lifted += self._offset * np.asarray(normals, np.float64)
        return lifted.astype(np.float32)

    def sees(self, starts: NDArray[np.float32], target: NDArray) -> NDArray[np.bool_]:
        """(P,) whether nothing lies between `starts` (P, 3) and `target` (3,)."""
        if not len(starts):
            return np.zeros(0, bool)
        ways = (np.asarray(target, np.float64) - self._origin).astype(np.float32) - starts
        distances = np.sqrt(np.einsum("pc,pc->p", ways, ways))
        ways /= distances[:, None]
        return np.asarray(self._scene.run(starts, ways, dists=distances, query="OCCLUDED") < 0)


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
    starts = caster.starts(points, normals)
    order = _along_a_curve(starts)  # rays that follow one another meet the same part of the tree: half the time
    for first in range(0, len(order), _BLOCK):
        block = order[first : first + _BLOCK]
        near, upward, begins = points[block], normals[block], starts[block]
        for i, camera in enumerate(cameras):
            pixels, _ = camera.project(near)
            framed = camera.inside(pixels)
            ways = camera.centre - near
            rise = np.einsum("pc,pc->p", ways, upward)
            facing = np.flatnonzero(framed & (rise > 0))  # the others weigh nothing: no rays for them
            seen = facing[caster.sees(begins[facing], camera.centre)]
            shares = np.empty((len(block), 2), np.float32)
            for k, size in enumerate((camera.width, camera.height)):
                np.divide(pixels[:, k], size, out=shares[:, k], casting="same_kind")
            where[i][block], inside[i][block] = shares, framed
            ways = ways[seen]
            weights[i][block[seen]] = rise[seen] / np.sqrt(np.einsum("pc,pc->p", ways, ways))
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
