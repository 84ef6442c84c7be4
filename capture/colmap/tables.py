"""The tables that a COLMAP model consists of, joined to cameras and points and taken apart again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture.camera import Camera
from capture.colmap.model import SparseModel, SparsePoints
from capture.colmap.quaternions import rotation_from_quaternion
from capture.errors import InputError
from capture.runtime.warnings_once import warn_once

Array = NDArray[np.float64]

_SAME = 1e-6  # poses that differ by less are the same: text is rounded

Intrinsics = tuple[str, int, int, tuple[float, ...]]  # lens model, width, height, parameters


@dataclass(frozen=True, eq=False)
class Pose:
    """A quaternion (4,) of any length and a translation (3,)."""

    quaternion: Array
    translation: Array

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Pose:
        """Of QW QX QY QZ TX TY TZ."""
        values = np.array(numbers, float)
        if values.shape != (7,):
            raise ValueError(f"a pose has 7 numbers, not {len(values)}")
        return cls(values[:4], values[4:])

    def matrix(self, what: str) -> Array:
        """(3, 4) rotation and translation; raises `InputError` naming `what` where they are none."""
        if not (np.isfinite(self.quaternion).all() and np.isfinite(self.translation).all() and self.quaternion.any()):
            raise InputError(f"the pose of {what} is zero or not finite; calibrate the capture again")
        return np.column_stack([rotation_from_quaternion(list(self.quaternion)), self.translation])


@dataclass(frozen=True, eq=False)
class ImageRow:
    """An image: its own pose, its camera, its name, and the pixels (N, 2) of its observations."""

    pose: Pose
    camera: int
    name: str
    pixels: Array


@dataclass(frozen=True)
class PointRow:
    """A point: position, colour, and its track of (image, row of the image's observations)."""

    position: Sequence[float]
    colour: Sequence[int]
    track: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Frame:
    """A moment of a rig: the rig, its pose and the images that were taken."""

    rig: int
    pose: Pose
    images: Sequence[int]


@dataclass(frozen=True)
class Tables:
    """A model's tables by their ids.

    Attributes:
        cameras, images: of the tables of these names.
        points: of points3D.
        rigs: per rig the camera's pose in it, None for the one that the rig's pose is of. A camera whose pose in the
            rig is not known is missing.
        frames: of rigs; without rigs and frames, images have poses of their own.
    """

    cameras: Mapping[int, Intrinsics]
    images: Mapping[int, ImageRow]
    points: Sequence[PointRow]
    rigs: Mapping[int, Mapping[int, Pose | None]] = field(default_factory=dict)
    frames: Mapping[int, Frame] = field(default_factory=dict)


def assemble(tables: Tables, folder: Path) -> SparseModel:
    """Join the tables; views are ordered by image name, tracks refer to that order.

    Raises:
        ValueError: where the tables don't fit together.
        InputError: where a pose or a camera can't be.
    """
    poses = _poses(tables, folder)
    order = sorted(poses, key=lambda number: tables.images[number].name)
    cameras = []
    for number in order:
        image = tables.images[number]
        if image.camera not in tables.cameras:
            raise ValueError(f"image {number} ({image.name}) refers to camera {image.camera}, which is not listed")
        pose = poses[number]
        cameras.append(_camera(image.name, tables.cameras[image.camera], pose[:, :3], pose[:, 3]))
    index = {number: i for i, number in enumerate(order)}
    pixels = [tables.images[number].pixels for number in order]
    return SparseModel(tuple(cameras), _points(tables.points, index, pixels, folder))


def _camera(name: str, intrinsics: Intrinsics, rotation: Array, translation: Array) -> Camera:
    model, width, height, params = intrinsics
    return Camera(name, width, height, model, params, rotation, translation)


def _poses(tables: Tables, folder: Path) -> dict[int, Array]:
    """Per image (3, 4) R | t of the world to its camera.

    As in COLMAP 4, the poses of rigs and frames count where both are there, not those of the images; they differ where
    a program that does not know rigs wrote the images anew.
    """
    own = {number: image.pose for number, image in tables.images.items()}
    if not (tables.rigs and tables.frames):
        return {number: pose.matrix(tables.images[number].name) for number, pose in own.items()}
    poses: dict[int, Array] = {}
    framed = {number: frame for frame in tables.frames.values() for number in frame.images}
    differing = []
    for number, image in tables.images.items():
        if number not in framed:
            raise ValueError(f"image {number} ({image.name}) stands in no frame")
        frame = framed[number]
        if frame.rig not in tables.rigs:
            raise ValueError(f"rig {frame.rig} is not listed")
        if image.camera not in tables.rigs[frame.rig]:
            warn_once(f"{folder}: {image.name} is left out: the pose of its camera in the rig is not known")
            continue
        pose = frame.pose.matrix(f"the frame of {image.name}")
        mounted = tables.rigs[frame.rig][image.camera]
        if mounted is not None:
            local = mounted.matrix(f"camera {image.camera} in its rig")
            pose = np.column_stack([local[:, :3] @ pose[:, :3], local[:, :3] @ pose[:, 3] + local[:, 3]])
        poses[number] = pose
        if not _agrees(own[number], pose):
            differing.append(image.name)
    if differing:
        warn_once(
            f"{folder}: for {len(differing)} of {len(poses)} images, {differing[0]} first, rigs and frames give other "
            "poses than the table of images; those of the frames are taken, as COLMAP does. Remove rigs.* and frames.* "
            "if they are old"
        )
    return poses


def _agrees(own: Pose, pose: Array) -> bool:
    with np.errstate(invalid="ignore"):
        turned = np.abs(rotation_from_quaternion(list(own.quaternion)) - pose[:, :3]).max()
        moved = np.abs(own.translation - pose[:, 3]).max()
        return bool(turned < _SAME and moved < _SAME * max(1.0, np.abs(pose[:, 3]).max()))


def _points(
    points: Sequence[PointRow], index: Mapping[int, int], observed: Sequence[Array], folder: Path
) -> SparsePoints:
    """Points in the order of the table, without what their tracks say of images or observations that are not there."""
    kept, tracks, pixels, lost = [], [], [], 0
    for point in points:
        pairs = [(index[image], row) for image, row in point.track if image in index]
        pairs = [(view, row) for view, row in pairs if 0 <= row < len(observed[view])]
        lost += len(point.track) - len(pairs)
        if point.track and not pairs:
            continue
        kept.append(point)
        tracks.append(np.array([view for view, _ in pairs], np.int64))
        pixels.append(np.array([observed[view][row] for view, row in pairs]).reshape(-1, 2))
    if lost:
        warn_once(
            f"{folder}: the tracks of points3D name {lost} observations that the table of images lacks; they are left "
            f"out, and {len(points) - len(kept)} points that nothing else sees"
        )
    positions = np.array([point.position for point in kept], float).reshape(-1, 3)
    colours = np.array([point.colour for point in kept], np.uint8).reshape(-1, 3)
    return SparsePoints(positions, colours, tuple(tracks), tuple(pixels))


def observations(model: SparseModel) -> list[list[tuple[float, float, int]]]:
    """Per view the (x, y, point number) of what it sees; point numbers count from 1."""
    seen: list[list[tuple[float, float, int]]] = [[] for _ in model.cameras]
    for number, (views, pixels) in enumerate(zip(model.points.tracks, model.points.pixels, strict=True), 1):
        for view, (x, y) in zip(views, pixels, strict=True):
            seen[int(view)].append((float(x), float(y), number))
    return seen


def track_rows(model: SparseModel) -> list[list[tuple[int, int]]]:
    """Per point its (image id, row in that image's observations)."""
    used = [0] * len(model.cameras)
    rows = []
    for views in model.points.tracks:
        row = []
        for view in views:
            row.append((int(view) + 1, used[view]))
            used[view] += 1
        rows.append(row)
    return rows
