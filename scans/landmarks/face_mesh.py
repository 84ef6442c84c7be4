"""The average face that comes with the model of landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

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
        common = np.flatnonzero(np.isfinite(positions[: len(self.vertices)]).all(axis=1))
        ours, theirs = self.vertices[common], positions[common]
        ours, theirs = ours - ours.mean(axis=0), theirs - theirs.mean(axis=0)
        turned = ours @ rotation_between(ours, theirs).T
        scale = float((turned * theirs).sum() / (turned * turned).sum())
        off = np.sort(((scale * turned - theirs) ** 2).sum(axis=1))[: len(common) // 2 + 1]
        return float(np.sqrt(off.mean() / (theirs**2).sum(axis=1).mean()))


def rotation_between(source: Floats, goal: Floats) -> Floats:
    """(3, 3) the rotation of the similarity that brings points (N, 3) nearest to others (Kabsch)."""
    u, _, vt = np.linalg.svd((source - source.mean(axis=0)).T @ (goal - goal.mean(axis=0)))
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(vt.T @ u.T))])
    return np.asarray(vt.T @ flip @ u.T)
