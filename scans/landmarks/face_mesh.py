"""The average face that comes with the model of landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from assets.geometry.surface import similarity
from capture.geometry import unit, vertex_normals
from scans.landmarks.names import INDEX

Floats = NDArray[np.float64]

_RING = 6  # landmarks around an eye, as iBUG has them


@dataclass(frozen=True, eq=False)
class FaceMesh:
    """An average face whose vertices are the landmarks but for the irises.

    Attributes:
        vertices: (468, 3) metres, y up, the face looks towards z, the subject's left is x.
        faces: (F, 3), counter-clockwise seen from outside.
    """

    vertices: Floats
    faces: NDArray[np.int32]

    @cached_property
    def landmark_normals(self) -> Floats:
        """(478, 3) outwards; those of the irises are of their eyes."""
        normals = vertex_normals(self.vertices, self.faces)
        irises = [
            np.tile(unit(normals[[INDEX[f"{side}_eye_{i}"] for i in range(_RING)]].mean(axis=0)), (5, 1))
            for side in ("right", "left")
        ]
        return np.concatenate([normals, *irises])

    def misfit(self, positions: Floats) -> float:
        """The distance of landmarks (L, 3) from this face, moved and scaled onto them: a share of their extent.

        The root mean square of the better half, by the root mean square distance from the middle; about 0.05 for
        people.
        """
        common = self.common(positions)
        rotation, scale, shift = self.similarity_to(positions)
        theirs = positions[common]
        off = ((scale * self.vertices[common] @ rotation.T + shift - theirs) ** 2).sum(axis=1)
        better = np.sort(off)[: len(common) // 2 + 1]
        return float(np.sqrt(better.mean() / ((theirs - theirs.mean(axis=0)) ** 2).sum(axis=1).mean()))

    def similarity_to(self, positions: Floats) -> tuple[Floats, float, Floats]:
        """Rotation (3, 3), scale and shift (3,) that bring this face nearest to landmarks (L, 3) (Umeyama 1991)."""
        common = self.common(positions)
        scale, rotation, shift = similarity(self.vertices[common], positions[common], np.ones(len(common)))
        return rotation, scale, shift

    @property
    def between_eyes(self) -> Floats:
        """(3,) the middle of the eyes."""
        corners = [INDEX[f"{side}_eye_{which}"] for side in ("left", "right") for which in ("inner", "outer")]
        return np.asarray(self.vertices[corners].mean(axis=0))

    def common(self, positions: Floats) -> NDArray[np.int64]:
        """Indices of this face's vertices that landmarks (L, 3) tell."""
        return np.flatnonzero(np.isfinite(positions[: len(self.vertices)]).all(axis=1))
