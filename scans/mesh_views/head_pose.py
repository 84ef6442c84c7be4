"""The head of a scan, and the way that it looks, by the face in rendered views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture import Camera, InputError
from scans.landmarks.crops import Floats
from scans.landmarks.detector import FaceDetector
from scans.landmarks.face_mesh import FaceMesh
from scans.landmarks.triangulation import Triangulated, triangulate_face
from scans.mesh_views.coloured_mesh import ColouredMesh
from scans.meshes.extent import core_vertices

_SIZE = 320  # pixels of the views in which the face is looked for
_AWAY = 6.0  # radii
_SURE = 0.5
_BESIDE = np.radians(22.0)  # between the view that shows the face and four more
_BEST = 3  # views with a face that are tried
_CENTRE_M = (0.0, 0.015, -0.075)  # of the head, from between the eyes: left, up, to the front
_ROUND_M = 0.15  # from there to its surface
_AXES = {"x": 0, "y": 1, "z": 2}


@dataclass(frozen=True, eq=False)
class HeadPose:
    """A head in a scan's frame.

    Attributes:
        rotation: (3, 3) whose columns are the subject's left, the back and up: it takes directions of our captures'
            frame to the scan's.
        centre: (3,) of the head.
        radius: from there to its surface, about.
        metres: per unit of the scan, by the size of the face.
        text: in words, how it was found.
    """

    rotation: Floats
    centre: Floats
    radius: float
    metres: float
    text: str


def find_head(mesh: ColouredMesh, detector: FaceDetector) -> HeadPose:
    """The head of a scan in any frame and unit, by its face.

    The scan is looked at from 14 directions, then from beside those that show a face, whose landmarks are triangulated;
    the pose is that of an average face that fits them. Raises `InputError` where no face is recognised.
    """
    middle, radius = _extent(mesh)
    found = []
    for camera in _around(middle, radius, _directions()):
        face = detector.find(mesh.render(camera))
        if face is not None and face.presence > _SURE:
            found.append((face.presence, face.size, camera))
    found.sort(key=lambda each: (round(each[0], 2), each[1]), reverse=True)
    for _, _, camera in found[:_BEST]:
        done = _triangulated(mesh, detector, middle, radius, camera)
        if done is not None:
            return _pose(detector.mesh, done.positions)
    raise InputError(
        "no face is recognised in views of it, from any side: a coarse scan without colours, or one of hair alone, "
        "shows none; make a capture of it and its images, with their cameras (`p2p import`)"
    )


def _extent(mesh: ColouredMesh) -> tuple[Floats, float]:
    """The middle of a scan and the radius around it, strays aside."""
    points = mesh.scan.vertices[core_vertices(mesh.scan.vertices, mesh.scan.faces)].astype(np.float64)
    low, high = np.percentile(points, [1, 99], axis=0)
    return (low + high) / 2, float(np.linalg.norm(high - low)) / 2


def _directions() -> Floats:
    """(14, 3) to the sides and the corners of a cube."""
    grid = np.stack(np.meshgrid(*3 * [[-1, 0, 1]], indexing="ij"), axis=-1).reshape(-1, 3).astype(float)
    count = np.abs(grid).sum(axis=1)
    chosen = np.concatenate([grid[count == 1], grid[count == 3]])
    return np.asarray(chosen / np.linalg.norm(chosen, axis=1, keepdims=True))


def _around(middle: Floats, radius: float, directions: Sequence[Floats] | Floats) -> list[Camera]:
    """Cameras in directions (N, 3) from the middle, which look at it."""
    focal = _SIZE / 2 * np.sqrt(_AWAY**2 - 1)
    cameras = []
    for i, direction in enumerate(directions):
        forward = -direction
        aside = np.cross(forward, np.eye(3)[np.argmin(np.abs(forward))])
        right = aside / np.linalg.norm(aside)
        rotation = np.stack([right, np.cross(forward, right), forward])
        eye = middle + _AWAY * radius * direction
        size, principal = (_SIZE, _SIZE), (_SIZE / 2, _SIZE / 2)
        cameras.append(Camera.pinhole(f"{i}.png", size, (focal, focal), principal, rotation, -rotation @ eye))
    return cameras


def _triangulated(
    mesh: ColouredMesh, detector: FaceDetector, middle: Floats, radius: float, camera: Camera
) -> Triangulated | None:
    """The landmarks by a view and four beside it; None where they don't agree on a face."""
    outward, right, down = -camera.rotation[2], camera.rotation[0], camera.rotation[1]
    beside = [np.cos(_BESIDE) * outward + np.sin(_BESIDE) * aside for aside in (right, -right, down, -down)]
    cameras = _around(middle, radius, [outward, *beside])
    faces = [detector.find(mesh.render(each)) for each in cameras]
    kept = [(each, face.pixels) for each, face in zip(cameras, faces, strict=True) if face and face.presence > _SURE]
    if len(kept) < 3:
        return None
    done = triangulate_face([each for each, _ in kept], np.stack([pixels for _, pixels in kept]), detector.mesh)
    return done if done is not None and done.agreeing.sum() >= 3 else None


def _pose(face: FaceMesh, positions: NDArray) -> HeadPose:
    """The pose of the average face, moved and scaled onto landmarks (L, 3)."""
    rotation, scale, shift = face.similarity_to(positions)
    left, up, front = rotation.T  # rows: the images of the face's x, y, z
    eyes = shift + scale * rotation @ face.between_eyes
    centre = eyes + scale * (_CENTRE_M[0] * left + _CENTRE_M[1] * up + _CENTRE_M[2] * front)
    turn = np.stack([left, -front, up], axis=1)
    text = f"face found: up is {_axis(up)}, the front {_axis(front)}; about {1 / scale:.3g} m a unit"
    return HeadPose(turn, centre, _ROUND_M * scale, 1 / scale, text)


def _axis(direction: Floats) -> str:
    """A direction in words: the nearest axis, and the angle to it where that is large."""
    name = max(_AXES, key=lambda axis: abs(direction[_AXES[axis]]))
    value = direction[_AXES[name]]
    off = np.degrees(np.arccos(min(1.0, abs(value))))
    return f"{'-' if value < 0 else ''}{name}" + (f" ({off:.0f} degrees off)" if off > 10 else "")
