"""The pose of a head in a frame that may be any: where its top and its face are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture import Mesh, vertex_normals
from capture.geometry import unit, vertex_areas
from scans.meshes.extent import core_vertices

Floats = NDArray[np.float64]

_SNAP = np.cos(np.radians(25))  # nearer to an axis of the frame, that axis is the top
_TOLD = 0.3  # of the length of a mean of unit vectors, from which on they agree
_SKIN = 0.5
_TURNED = 0.1  # share of the area by which skin has to face one side more than the other


@dataclass(frozen=True, eq=False)
class Pose:
    """A head in its frame.

    Attributes:
        up, front: (3,) unit vectors at a right angle: to the top of the head, and to where the face looks.
        centre: (3,) metres.
        radius: metres, of the sphere around the centre that holds the head.
    """

    up: Floats
    front: Floats
    centre: Floats
    radius: float


def find_pose(
    mesh: Mesh,
    probability: NDArray[np.floating] | None,
    tops: Sequence[Floats],
    centres: Sequence[Floats],
    up: Floats | None = None,
    front: Floats | None = None,
) -> Pose:
    """The pose by what is stated, or else by the images' tops, the side that skin looks to, and the cameras.

    Args:
        mesh: V vertices.
        probability: (V,) of skin; None where it is not known.
        tops: (3,) of each photograph, where its upper edge is.
        centres: (3,) of each camera.
        up, front: (3,) where they are known.
    """
    core = core_vertices(mesh.vertices, mesh.faces)
    low, high = np.percentile(mesh.vertices[core].astype(np.float64), (1, 99), axis=0)
    centre, radius = (low + high) / 2, float(np.linalg.norm(high - low) / 2)
    up = _up(tops) if up is None else unit(up)
    front = _front(mesh, probability, centres, up, centre) if front is None else front
    front = front - up * (front @ up)
    if np.linalg.norm(front) < 1e-6:
        front = np.cross(up, np.eye(3)[np.argmin(np.abs(up))])
    return Pose(up, unit(front), centre, radius)


def _up(tops: Sequence[Floats]) -> Floats:
    """The mean of the images' tops, or the frame's axis next to it; z where they don't agree, or there are none."""
    mean = np.mean(tops, axis=0) if len(tops) else np.zeros(3)
    if np.linalg.norm(mean) < _TOLD:
        return np.array([0.0, 0.0, 1.0])
    mean = unit(mean)
    axis = np.argmax(np.abs(mean))
    return np.asarray(np.sign(mean[axis]) * np.eye(3)[axis] if abs(mean[axis]) > _SNAP else mean)


def _front(
    mesh: Mesh, probability: NDArray[np.floating] | None, centres: Sequence[Floats], up: Floats, centre: Floats
) -> Floats:
    """The side that the skin looks to, less what hair and clothes do; else the cameras' side; else -y."""
    if probability is not None:
        skin = vertex_areas(mesh.vertices, mesh.faces) * (probability > _SKIN)
        facing = skin @ vertex_normals(mesh.vertices, mesh.faces)
        facing = facing - up * (facing @ up)
        if np.linalg.norm(facing) > _TURNED * skin.sum() > 0:
            return unit(facing)
    if len(centres):
        sides = unit(np.stack(centres) - centre)
        mean = sides.mean(axis=0)
        return np.asarray(mean if np.linalg.norm(mean) > _TOLD else sides[0])
    return np.array([0.0, -1.0, 0.0])
