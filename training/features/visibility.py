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
        TriangleMesh(self._scene, local[faces].astype(np.float32))

    def sees(self, points: NDArray, normals: NDArray, target: NDArray) -> NDArray[np.bool_]:
        """(P,) whether nothing lies between surface points (P, 3), with unit normals (P, 3), and `target` (3,)."""
        if not len(points):
            return np.zeros(0, bool)
        start = np.asarray(points, np.float64) + self._offset * np.asarray(normals, np.float64)
        way = np.asarray(target, np.float64) - start
        distance = np.linalg.norm(way, axis=1)
        rays = (start - self._origin).astype(np.float32), (way / distance[:, None]).astype(np.float32)
        return np.asarray(self._scene.run(*rays, dists=distance.astype(np.float32), query="OCCLUDED") < 0)


@dataclass(frozen=True, eq=False)
class Views:
    """P points in N views.

    Attributes:
        where: (N, P, 2) position in each image as a share of its width and height; NaN behind the camera.
        inside: (N, P) whether that is in the image.
        weights: (N, P) visible · max(0, cosine between normal and view direction) · inside, not normalised.
    """

    where: NDArray[np.float64]
    inside: NDArray[np.bool_]
    weights: NDArray[np.float64]


def project_views(cameras: Sequence[Camera], points: NDArray, normals: NDArray, caster: RayCaster) -> Views:
    """Project points (P, 3) with unit normals (P, 3) into all views and weigh the views."""
    shape = len(cameras), len(points)
    where, inside, weights = np.zeros((*shape, 2)), np.zeros(shape, bool), np.zeros(shape)
    for i, camera in enumerate(cameras):
        pixels, _ = camera.project(points)
        where[i] = pixels / (camera.width, camera.height)
        inside[i] = camera.inside(pixels)
        way = camera.centre - points
        cosine = np.einsum("pc,pc->p", way, normals) / np.linalg.norm(way, axis=1)
        facing = np.flatnonzero(inside[i] & (cosine > 0))  # the others weigh nothing: no rays for them
        seen = caster.sees(points[facing], normals[facing], camera.centre)
        weights[i, facing] = cosine[facing] * seen
    return Views(where, inside, weights)
