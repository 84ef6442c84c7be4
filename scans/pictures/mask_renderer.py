"""Masks of what images show of a mesh, through their lenses, with its occlusion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capture import Camera, Mesh
from scans.ray_casting import RayCaster

Mask = NDArray[np.bool_]

_PIXELS = 1 << 20  # that are cast at once: memory does not grow with the image


class MaskRenderer:
    """Renders masks of a mesh, whose faces are seen from their front only: a back hides what is behind it.

    A ray is cast through the centre of every pixel, in the direction that the camera's own lens gives it.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._faces = mesh.faces
        points = mesh.vertices.astype(np.float64)
        self._middle = (points.min(axis=0) + points.max(axis=0)) / 2
        self._caster = RayCaster(points, mesh.faces, centre=self._middle)
        first, second, third = (points[mesh.faces[:, k]] for k in range(3))
        self._normals = np.cross(second - first, third - first)

    def render(self, camera: Camera, shares: NDArray[np.float32]) -> Mask:
        """The masks (C, H, W) of C classes: where the share of one, interpolated, is above a half.

        Args:
            camera: in the frame and unit of the mesh.
            shares: (C, V) in [0, 1], of the vertices in the classes.
        """
        masks = np.zeros((len(shares), camera.height, camera.width), bool)
        step = max(1, _PIXELS // camera.width)
        for top in range(0, camera.height, step):
            rows = masks[:, top : top + step].reshape(len(shares), -1)  # a copy where rows are not contiguous
            self._cast(camera, top, rows, shares)
            masks[:, top : top + step] = rows.reshape(len(shares), -1, camera.width)
        return masks

    def _cast(self, camera: Camera, top: int, masks: Mask, shares: NDArray[np.float32]) -> None:
        """Fill masks (C, P) of P pixels, row by row from the row `top`."""
        number = np.arange(masks.shape[1])
        pixels = np.stack([number % camera.width + 0.5, number // camera.width + top + 0.5], axis=1)
        directions = camera.rays(pixels)
        seeing = np.flatnonzero(np.isfinite(directions).all(axis=1))  # not beyond the image circle of a fisheye
        directions = directions[seeing]
        origins = np.broadcast_to((camera.centre - self._middle).astype(np.float32), directions.shape)
        hits = self._caster.first_hits(np.ascontiguousarray(origins), directions.astype(np.float32))
        met = np.flatnonzero(hits.face >= 0)
        met = met[np.einsum("pc,pc->p", self._normals[hits.face[met]], directions[met]) < 0]
        corners, u, v = self._faces[hits.face[met]], hits.u[met], hits.v[met]
        for mask, share in zip(masks, shares, strict=True):
            first, second, third = (share[corners[:, k]] for k in range(3))
            mask[seeing[met]] = (1 - u - v) * first + u * second + v * third > 0.5
