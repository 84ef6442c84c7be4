"""The pose of a head in a frame that may be any: where its top and its face are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture import vertex_normals
from capture.geometry import unit, vertex_areas
from scans.meshes.extent import core_vertices
from scans.viewer.view import View

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


def find_pose(view: View) -> Pose:
    """The pose by what the view states, or else by the images' tops, the side that skin looks to, and the cameras."""
    scan = view.scan.scan
    core = core_vertices(scan.vertices, scan.faces)
    low, high = np.percentile(scan.vertices[core].astype(np.float64), (1, 99), axis=0)
    centre, radius = (low + high) / 2, float(np.linalg.norm(high - low) / 2)
    up = _up(view) if view.up is None else unit(view.up)
    front = _front(view, up, centre) if view.front is None else view.front
    front = front - up * (front @ up)
    if np.linalg.norm(front) < 1e-6:
        front = np.cross(up, np.eye(3)[np.argmin(np.abs(up))])
    return Pose(up, unit(front), centre, radius)


def _up(view: View) -> Floats:
    """The mean of the images' tops, or the frame's axis next to it; z where they don't agree, or there are none."""
    tops = np.array([camera.up for camera in view.cameras]).reshape(-1, 3)
    mean = tops.mean(axis=0) if len(tops) else np.zeros(3)
    if np.linalg.norm(mean) < _TOLD:
        return np.array([0.0, 0.0, 1.0])
    mean = unit(mean)
    axis = np.argmax(np.abs(mean))
    return np.sign(mean[axis]) * np.eye(3)[axis] if abs(mean[axis]) > _SNAP else mean


def _front(view: View, up: Floats, centre: Floats) -> Floats:
    """The side that the skin looks to, less what hair and clothes do; else the cameras' side; else -y."""
    shown = view.scan
    if shown.prediction is not None:
        areas = vertex_areas(shown.scan.vertices, shown.scan.faces)
        skin = areas * (shown.prediction.probability > _SKIN)
        facing = skin @ vertex_normals(shown.scan.vertices, shown.scan.faces)
        facing = facing - up * (facing @ up)
        if np.linalg.norm(facing) > _TURNED * skin.sum() > 0:
            return unit(facing)
    centres = np.array([camera.centre for camera in view.cameras]).reshape(-1, 3)
    if len(centres):
        sides = unit(centres - centre)
        if np.linalg.norm(sides.mean(axis=0)) > _TOLD:
            return np.asarray(sides.mean(axis=0))
        return np.asarray(sides[0])
    return np.array([0.0, -1.0, 0.0])
