"""Pictures of a mesh in its own colours, as photographs in even light show it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import Camera, Scan
from capture.geometry import face_normals
from capture.runtime.warnings_once import warn_once
from scans.meshes.orientation import orient_outwards
from scans.meshes.textured import TexturedFaces, obj_textured_faces
from scans.meshes.textures import sample_texture
from scans.ray_casting import RayCaster

Picture = NDArray[np.uint8]

BACKDROP = (110, 110, 110)
_PLAIN = (200, 180, 165)  # of a scan without colours
_FINER = 2  # rays a pixel, each way
_AMBIENT = 0.25  # of the light on a scan without colours
_ROWS = 256  # at once


class ColouredMesh:
    """A mesh with the colours of its vertices, or of textures where the file has them.

    Faces are seen from their front alone: an open scan shows no mirrored face from behind.

    Args:
        scan: V vertices.
        textured: faces of the same vertices under textures; no others are seen then.
    """

    def __init__(self, scan: Scan, textured: Sequence[TexturedFaces] = ()) -> None:
        self.scan, self._textured = scan, tuple(textured)
        self._faces = np.concatenate([each.faces for each in textured]) if textured else scan.faces.astype(np.int64)
        points = scan.vertices.astype(np.float64)
        self._caster = RayCaster(points, self._faces.astype(np.int32))
        self._normals = face_normals(points, orient_outwards(points, self._faces))
        self._starts = np.cumsum([0, *(len(each.faces) for each in self._textured)])

    @property
    def has_colours(self) -> bool:
        """Whether there is anything else to see than the shape."""
        return bool(self._textured) or self.scan.colours is not None

    @classmethod
    def read(cls, path: Path, scan: Scan) -> ColouredMesh:
        """Of a scan that was read from `path`, with the textures of an OBJ file."""
        try:
            textured = obj_textured_faces(path) if path.suffix.lower() == ".obj" else []
        except (ValueError, IndexError) as error:
            warn_once(f"{path}: its texture can't be taken ({error})")
            textured = []
        return cls(scan, textured if sum(len(each.faces) for each in textured) == len(scan.faces) else [])

    def render(self, camera: Camera) -> Picture:
        """(H, W, 3) what a camera in the frame of the mesh sees, antialiased."""
        fine = camera.resized(_FINER * camera.width, _FINER * camera.height)
        rows = [self._cast(fine, top) for top in range(0, fine.height, _ROWS)]
        return np.asarray(Image.fromarray(np.concatenate(rows)).reduce(_FINER))

    def _cast(self, camera: Camera, top: int) -> Picture:
        x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(top, min(top + _ROWS, camera.height)) + 0.5)
        directions = camera.rays(np.stack([x.ravel(), y.ravel()], axis=1))
        origins = np.broadcast_to(self._caster.local(camera.centre), directions.shape)
        hits = self._caster.first_hits(np.ascontiguousarray(origins), directions.astype(np.float32))
        picture = np.tile(np.array(BACKDROP, np.uint8), (len(directions), 1))
        met = np.flatnonzero(hits.face >= 0)
        met = met[np.einsum("pc,pc->p", self._normals[hits.face[met]], directions[met]) < 0]
        weights = np.stack([1 - hits.u[met] - hits.v[met], hits.u[met], hits.v[met]], axis=1).astype(np.float64)
        picture[met] = self._colours(hits.face[met], weights, directions[met]).round().clip(0, 255)
        return picture.reshape(*x.shape, 3)

    def _colours(self, face: NDArray[np.int64], weights: NDArray, directions: NDArray) -> NDArray[np.float64]:
        """(P, 3) of places on faces (P,), by barycentric weights (P, 3)."""
        if not self._textured:
            if self.scan.colours is not None:
                return np.einsum("pk,pkc->pc", weights, self.scan.colours[self._faces[face]].astype(np.float64))
            facing = np.abs(np.einsum("pc,pc->p", self._normals[face], directions))
            return np.asarray((_AMBIENT + (1 - _AMBIENT) * facing)[:, None] * np.array(_PLAIN, float))
        colours = np.zeros((len(face), 3))
        for start, end, group in zip(self._starts[:-1], self._starts[1:], self._textured, strict=True):
            rows = np.flatnonzero((face >= start) & (face < end))
            uv = np.einsum("pk,pkc->pc", weights[rows], group.uv[face[rows] - start])
            colours[rows] = sample_texture(group.texture, uv)
        return colours
