"""COLMAP's binary files."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.camera import CAMERA_MODELS
from capture.colmap.model import SparseModel
from capture.colmap.quaternions import quaternion_from_rotation
from capture.colmap.tables import Frame, ImageRow, Intrinsics, PointRow, Pose, Tables, observations, track_rows
from capture.errors import InputError
from capture.lens_models import LENS_MODELS

_MODEL_NAMES = {model.number: name for name, model in LENS_MODELS.items()}
_CAMERA = 0  # type of a sensor; others measure motion
_OBSERVATION = np.dtype([("pixel", "<f8", 2), ("point", "<u8")])


class _Bytes:
    """A file's content, taken from its beginning on."""

    def __init__(self, path: Path) -> None:
        self._data, self._at = path.read_bytes(), 0

    def take(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, self._next(struct.calcsize("<" + layout)))

    def array(self, kind: np.dtype | str, count: int) -> NDArray:
        kind = np.dtype(kind)
        return np.frombuffer(self._next(kind.itemsize * count), kind)

    def name(self) -> str:
        end = self._data.find(b"\0", self._at)
        if end < 0:
            raise ValueError("the file ends too early")
        return self._next(end + 1 - self._at)[:-1].decode(errors="surrogateescape")

    def _next(self, size: int) -> bytes:
        found = self._data[self._at : self._at + size]
        if len(found) != size:
            raise ValueError("the file ends too early")
        self._at += size
        return found


def read_binary(folder: Path) -> Tables:
    """The tables in `folder`.

    Raises:
        ValueError: where they are damaged.
        InputError: for a lens model that is not known.
    """
    cameras = _read_cameras(folder / "cameras.bin")
    images = {}
    file = _Bytes(folder / "images.bin")
    for _ in range(file.take("Q")[0]):
        number, *pose, camera = file.take("I7dI")
        name = file.name()
        seen = file.array(_OBSERVATION, file.take("Q")[0])["pixel"]
        images[number] = ImageRow(Pose.of(pose), camera, name, np.array(seen, float).reshape(-1, 2))
    points = _read_points(folder / "points3D.bin")
    return Tables(cameras, images, points, _read_rigs(folder / "rigs.bin"), _read_frames(folder / "frames.bin"))


def count_binary(folder: Path) -> int:
    """Number of images of the model."""
    with (folder / "images.bin").open("rb") as file:
        return int(struct.unpack("<Q", file.read(8))[0])


def _read_cameras(path: Path) -> dict[int, Intrinsics]:
    file = _Bytes(path)
    cameras = {}
    for _ in range(file.take("Q")[0]):
        number, model_id, width, height = file.take("IiQQ")
        if model_id not in _MODEL_NAMES:
            raise InputError(
                f"{path}: camera {number} has lens model number {model_id}, which is none of COLMAP 4.2's; calibrate "
                f"with one of {', '.join(CAMERA_MODELS)}"
            )
        model = _MODEL_NAMES[model_id]
        cameras[number] = (model, width, height, file.take(f"{len(CAMERA_MODELS[model])}d"))
    return cameras


def _read_points(path: Path) -> list[PointRow]:
    if not path.is_file():
        return []
    file = _Bytes(path)
    points = []
    for _ in range(file.take("Q")[0]):
        _, x, y, z, r, g, b, _, length = file.take("QdddBBBdQ")
        track = file.array("<u4", 2 * length).reshape(-1, 2).tolist()
        points.append(PointRow((x, y, z), (r, g, b), [(image, row) for image, row in track]))
    return points


def _read_rigs(path: Path) -> dict[int, dict[int, Pose | None]]:
    if not path.is_file():
        return {}
    file = _Bytes(path)
    rigs = {}
    for _ in range(file.take("Q")[0]):
        number, count = file.take("II")
        cameras: dict[int, Pose | None] = {}
        for i in range(count):
            kind, sensor = file.take("iI")
            known = i == 0 or bool(file.take("B")[0])
            pose = Pose.of(file.take("7d")) if i and known else None
            if kind == _CAMERA and known:
                cameras[sensor] = pose
        rigs[number] = cameras
    return rigs


def _read_frames(path: Path) -> dict[int, Frame]:
    if not path.is_file():
        return {}
    file = _Bytes(path)
    frames = {}
    for _ in range(file.take("Q")[0]):
        number, rig, *pose, count = file.take("II7dI")
        data = [file.take("iIQ") for _ in range(count)]
        frames[number] = Frame(rig, Pose.of(pose), [image for kind, _, image in data if kind == _CAMERA])
    return frames


def binary_files(model: SparseModel) -> dict[str, bytes]:
    """The content of a model's files, by their names."""
    count = len(model.cameras)
    cameras, images = bytearray(struct.pack("<Q", count)), bytearray(struct.pack("<Q", count))
    points = bytearray(struct.pack("<Q", len(model.points)))
    for i, (camera, seen) in enumerate(zip(model.cameras, observations(model), strict=True), 1):
        cameras += struct.pack("<IiQQ", i, LENS_MODELS[camera.model].number, camera.width, camera.height)
        cameras += struct.pack(f"<{len(camera.params)}d", *camera.params)
        pose = [*quaternion_from_rotation(camera.rotation), *camera.translation]
        images += struct.pack("<I7dI", i, *pose, i) + camera.name.encode(errors="surrogateescape") + b"\0"
        images += struct.pack("<Q", len(seen))
        for observation in seen:
            images += struct.pack("<ddQ", *observation)
    table = zip(model.points.positions, model.points.colours, track_rows(model), strict=True)
    for i, (position, colour, track) in enumerate(table, 1):
        points += struct.pack("<QdddBBBdQ", i, *map(float, position), *map(int, colour), 0.0, len(track))
        for pair in track:
            points += struct.pack("<II", *pair)
    return {"cameras.bin": bytes(cameras), "images.bin": bytes(images), "points3D.bin": bytes(points)}
