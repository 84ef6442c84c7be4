"""Small shaded pictures of meshes by ray casting: no display, no graphics library."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from capture import Camera
from capture.geometry import face_normals
from scans.ray_casting import RayCaster

BACKGROUND = 245
_AMBIENT = 0.35

Picture = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Fragments:
    """The mesh at the pixels of a picture, before it has colours.

    Attributes:
        hit: (H, W) whether a pixel shows the mesh.
        corners: (P, 3) the corners of the faces that the P hit pixels show, row by row.
        weights: (P, 3) barycentric coordinates in those.
        light: (P,) in [0, 1].
    """

    hit: NDArray[np.bool_]
    corners: NDArray[np.int64]
    weights: NDArray[np.float64]
    light: NDArray[np.float64]

    def shade(self, colours: NDArray, onto: Picture | None = None, opacity: float = 1.0) -> Picture:
        """A picture (H, W, 3) with colours (V, 3) in [0, 255] of the vertices, over another one where it is given."""
        picture = np.full((*self.hit.shape, 3), BACKGROUND, np.float64) if onto is None else onto.astype(np.float64)
        smooth = np.einsum("pk,pkc->pc", self.weights, np.asarray(colours, np.float64)[self.corners])
        picture[self.hit] = (1 - opacity) * picture[self.hit] + opacity * smooth * self.light[:, None]
        return picture.round().clip(0, 255).astype(np.uint8)


class MeshRenderer:
    """Renders a mesh: vertices (V, 3) and faces (F, 3)."""

    def __init__(self, vertices: ArrayLike, faces: NDArray) -> None:
        self._vertices, self._faces = np.asarray(vertices, np.float64), np.asarray(faces)
        low, high = self._vertices.min(axis=0), self._vertices.max(axis=0)
        self._middle, self._diagonal = (low + high) / 2, float(np.linalg.norm(high - low))
        self._caster = RayCaster(self._vertices, self._faces, centre=self._middle)

    def orthographic(self, forward: ArrayLike, down: ArrayLike, size: int) -> Fragments:
        """A picture (size, size) by parallel rays along `forward`; `down` is roughly the way down in it."""
        direction = np.asarray(forward, float) / np.linalg.norm(np.asarray(forward, float))
        right = np.cross(np.asarray(down, float), direction)
        right /= np.linalg.norm(right)
        below = np.cross(direction, right)
        local = self._vertices - self._middle
        across, along = local @ right, local @ below
        half = 0.52 * max(float(np.ptp(across)), float(np.ptp(along)))
        steps = ((np.arange(size) + 0.5) / size * 2 - 1) * half
        middle = right * (across.max() + across.min()) / 2 + below * (along.max() + along.min()) / 2
        plane = middle + steps[None, :, None] * right + steps[:, None, None] * below
        origins = plane - 2 * self._diagonal * direction
        return self._cast(origins, np.broadcast_to(direction, origins.shape))

    def from_camera(self, camera: Camera) -> Fragments:
        """The picture that a camera takes, pixel by pixel: the distortion is in it."""
        x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
        directions = camera.rays(np.stack([x, y], axis=-1))
        blind = np.isnan(directions).any(axis=-1)  # beyond the image circle of a fisheye
        directions[blind] = camera.direction
        return self._cast(np.broadcast_to(camera.centre - self._middle, directions.shape), directions, blind)

    def _cast(self, origins: NDArray, directions: NDArray, blind: NDArray[np.bool_] | None = None) -> Fragments:
        """Rays (H, W, 3), relative to the middle of the mesh; those of `blind` (H, W) meet nothing."""
        hits = self._caster.first_hits(
            origins.reshape(-1, 3).astype(np.float32), directions.reshape(-1, 3).astype(np.float32)
        )
        met = hits.face >= 0
        if blind is not None:
            met &= ~blind.reshape(-1)
        index = np.flatnonzero(met)
        corners = self._faces[hits.face[index]].astype(np.int64)
        u, v = hits.u[index].astype(float), hits.v[index].astype(float)
        normals = face_normals(self._vertices, corners)
        facing = np.abs(np.einsum("pc,pc->p", normals, directions.reshape(-1, 3)[index]))
        weights = np.stack([1 - u - v, u, v], axis=1)
        hit = met.reshape(origins.shape[:2])
        return Fragments(hit, corners, weights, _AMBIENT + (1 - _AMBIENT) * facing)
