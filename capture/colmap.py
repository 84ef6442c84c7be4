"""COLMAP's sparse model: cameras, images and points, in text and in binary.

Source: colmap.github.io, "Output Format". Only what a calibrated capture needs: every image has its own camera
entry, points carry their tracks. Extra files (rigs.*, frames.*) of newer versions are left alone.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from capture.camera import CAMERA_MODELS, Camera
from capture.errors import InputError
from capture.files import write_bytes
from capture.lens_models import LENS_MODELS

MODEL_NAMES = {model.number: name for name, model in LENS_MODELS.items()}


@dataclass(frozen=True, eq=False)
class SparsePoints:
    """Sparse points with tracks.

    Attributes:
        positions: (P, 3) float64 metres.
        colours: (P, 3) uint8.
        tracks: per point the indices of the views that see it, in the order of the cameras; at least one each.
        pixels: per point the (n, 2) pixels of it in those views.
    """

    positions: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))
    colours: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 3), np.uint8))
    tracks: Sequence[NDArray[np.int64]] = ()
    pixels: Sequence[NDArray[np.float64]] = ()

    def __post_init__(self) -> None:
        counts = {len(self.positions), len(self.colours), len(self.tracks), len(self.pixels)}
        if len(counts) != 1:
            raise InputError("sparse points: positions, colours, tracks and pixels must be equally many")

    def __len__(self) -> int:
        return len(self.positions)


@dataclass(frozen=True, eq=False)
class SparseModel:
    """The cameras of a capture and, where there are any, its sparse points."""

    cameras: tuple[Camera, ...]
    points: SparsePoints = field(default_factory=SparsePoints)


def quaternion_from_rotation(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4,) unit quaternion (w, x, y, z), w >= 0, of a (3, 3) rotation (Shepperd's method)."""
    m = np.asarray(rotation, float)
    four_squares = 1 + np.array(
        [m.trace(), m[0, 0] - m[1, 1] - m[2, 2], m[1, 1] - m[0, 0] - m[2, 2], m[2, 2] - m[0, 0] - m[1, 1]]
    )
    xy, xz, yz = m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1]
    wx, wy, wz = m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]
    outer = np.array([[0, wx, wy, wz], [wx, 0, xy, xz], [wy, xy, 0, yz], [wz, xz, yz, 0]])
    outer[np.diag_indices(4)] = four_squares
    row = outer[int(np.argmax(four_squares))]
    quaternion = row / np.linalg.norm(row)
    return np.asarray(-quaternion if quaternion[0] < 0 else quaternion)


def rotation_from_quaternion(quaternion: Sequence[float]) -> NDArray[np.float64]:
    """(3, 3) rotation of a quaternion (w, x, y, z); it is normalised first. Zero or NaN gives NaN."""
    q = np.asarray(quaternion, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        w, x, y, z = q / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def read_model(folder: Path) -> SparseModel:
    """Read a COLMAP model, binary or text (binary where both are there, as COLMAP does).

    The model may lie in `folder` itself or in `folder/0`, where COLMAP's mapper puts it. Cameras come in the order
    of their image names. Raises `InputError` where the model is missing, empty or damaged.
    """
    folder = Path(folder)
    for place in (folder, folder / "0"):
        for suffix, reader in ((".bin", _read_binary), (".txt", _read_text)):
            if (place / f"cameras{suffix}").is_file() and (place / f"images{suffix}").is_file():
                return _read(place, suffix, reader)
    lacking = "holds neither cameras.bin + images.bin nor cameras.txt + images.txt"
    if not folder.is_dir():
        lacking = "is missing"
    raise InputError(f"no cameras: {folder} {lacking}; `p2p calibrate` finds those of images")


def _read(folder: Path, suffix: str, reader: Callable[[Path], SparseModel]) -> SparseModel:
    try:
        model = reader(folder)
    except OSError as error:
        raise InputError(f"COLMAP model can't be read: {error.filename or folder} ({error.strerror})") from None
    except (struct.error, ValueError, OverflowError, IndexError, KeyError) as error:
        raise InputError(f"damaged COLMAP model in {folder} (*{suffix}): {error}; export it again") from None
    if not model.cameras:
        raise InputError(f"no cameras: the COLMAP model in {folder} has no image; calibrate the capture first")
    return model


def write_model(folder: Path, model: SparseModel, *, binary: bool = False) -> None:
    """Write `model` into `folder`; each file atomically. Image and camera ids count from 1 in the given order."""
    folder = Path(folder)
    files = _binary_files(model) if binary else _text_files(model)
    for name, data in files.items():
        write_bytes(folder / name, data)


# --- assembling -----------------------------------------------------------------------------------------------

_Intrinsics = dict[int, tuple[str, int, int, tuple[float, ...]]]
_Image = tuple[int, NDArray[np.float64], NDArray[np.float64], int, str, NDArray[np.float64]]
_Point = tuple[list[float], list[int], list[tuple[int, int]]]


def _assemble(intrinsics: _Intrinsics, images: list[_Image], points: list[_Point]) -> SparseModel:
    """Join the three tables; views are ordered by image name, tracks refer to that order."""
    images = sorted(images, key=lambda image: image[4])
    cameras = []
    for number, quaternion, translation, camera_id, name, _ in images:
        if camera_id not in intrinsics:
            raise ValueError(f"image {number} ({name}) refers to camera {camera_id}, which is not listed")
        model, width, height, params = intrinsics[camera_id]
        length = float(np.linalg.norm(quaternion))
        if np.isfinite(length) and length > 0 and abs(length - 1) > 0.02:  # more than rounding: not a rotation
            raise ValueError(f"the quaternion of {name} has length {length:.3g}, not 1")
        rotation = rotation_from_quaternion(list(quaternion))
        cameras.append(Camera(name, width, height, model, params, rotation, translation))
    index = {image[0]: i for i, image in enumerate(images)}
    observations = [image[5] for image in images]
    return SparseModel(tuple(cameras), _points(points, index, observations))


def _points(points: list[_Point], index: dict[int, int], observations: list[NDArray[np.float64]]) -> SparsePoints:
    tracks, pixels = [], []
    for _, _, track in points:
        views = np.array([index[image] for image, _ in track], np.int64)
        tracks.append(views)
        pixels.append(np.array([observations[index[image]][row] for image, row in track]).reshape(-1, 2))
    positions = np.array([point[0] for point in points], float).reshape(-1, 3)
    colours = np.array([point[1] for point in points], np.uint8).reshape(-1, 3)
    return SparsePoints(positions, colours, tuple(tracks), tuple(pixels))


def _observations(model: SparseModel) -> list[list[tuple[float, float, int]]]:
    """Per view the (x, y, point number) of what it sees; point numbers count from 1."""
    seen: list[list[tuple[float, float, int]]] = [[] for _ in model.cameras]
    for number, (views, pixels) in enumerate(zip(model.points.tracks, model.points.pixels, strict=True), 1):
        for view, (x, y) in zip(views, pixels, strict=True):
            seen[int(view)].append((float(x), float(y), number))
    return seen


def _track_rows(model: SparseModel) -> list[list[tuple[int, int]]]:
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


# --- text -----------------------------------------------------------------------------------------------------


def _lines(path: Path) -> Iterator[str]:
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield line.strip()


def _read_text(folder: Path) -> SparseModel:
    intrinsics: _Intrinsics = {}
    for line in filter(None, _lines(folder / "cameras.txt")):
        number, model, width, height, *params = line.split()
        intrinsics[int(number)] = (model, int(width), int(height), tuple(map(float, params)))
    images: list[_Image] = []
    rows = list(_lines(folder / "images.txt"))
    while rows and not rows[-1] and len(rows) % 2:  # a trailing empty line is no observation row
        rows.pop()
    for head, tail in zip(rows[::2], [*rows[1::2], ""], strict=False):
        number, *pose = head.split(maxsplit=9)
        values = np.array(pose[:7], float)
        seen = np.array(tail.split(), float).reshape(-1, 3)[:, :2]
        images.append((int(number), values[:4], values[4:], int(pose[7]), pose[8], seen))
    points: list[_Point] = []
    for line in filter(None, _lines(folder / "points3D.txt")):
        fields = line.split()
        track = list(map(int, fields[8:]))
        pairs = list(zip(track[::2], track[1::2], strict=True))
        points.append((list(map(float, fields[1:4])), list(map(int, fields[4:7])), pairs))
    return _assemble(intrinsics, images, points)


def _text_files(model: SparseModel) -> dict[str, bytes]:
    def number(value: float) -> str:
        return repr(float(value))  # the shortest text that reads back as the same double

    cameras, images, points = ["# CAMERA_ID MODEL WIDTH HEIGHT PARAMS[]"], [], []
    images.append("# IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME, then POINTS2D[] as X Y POINT3D_ID")
    points.append("# POINT3D_ID X Y Z R G B ERROR TRACK[] as IMAGE_ID POINT2D_IDX")
    for i, (camera, seen) in enumerate(zip(model.cameras, _observations(model), strict=True), 1):
        params = " ".join(map(number, camera.params))
        cameras.append(f"{i} {camera.model} {camera.width} {camera.height} {params}")
        pose = [*quaternion_from_rotation(camera.rotation), *camera.translation]
        images.append(f"{i} {' '.join(map(number, pose))} {i} {camera.name}")
        images.append(" ".join(f"{number(x)} {number(y)} {p}" for x, y, p in seen))
    table = zip(model.points.positions, model.points.colours, _track_rows(model), strict=True)
    for i, (position, colour, track) in enumerate(table, 1):
        pairs = " ".join(f"{image} {row}" for image, row in track)
        points.append(f"{i} {' '.join(map(number, position))} {' '.join(map(str, colour))} 0 {pairs}")
    tables = {"cameras.txt": cameras, "images.txt": images, "points3D.txt": points}
    return {name: ("\n".join(lines) + "\n").encode() for name, lines in tables.items()}


# --- binary ---------------------------------------------------------------------------------------------------


def _take(file: BinaryIO, layout: str) -> tuple:
    size = struct.calcsize("<" + layout)
    data = file.read(size)
    if len(data) != size:
        raise ValueError("the file ends too early")
    return struct.unpack("<" + layout, data)


def _take_name(file: BinaryIO) -> str:
    name = bytearray()
    while (character := _take(file, "c")[0]) != b"\0":
        name += character
    return name.decode()


def _read_binary(folder: Path) -> SparseModel:
    intrinsics: _Intrinsics = {}
    file: BinaryIO = io.BytesIO((folder / "cameras.bin").read_bytes())
    for _ in range(_take(file, "Q")[0]):
        number, model_id, width, height = _take(file, "IiQQ")
        if model_id not in MODEL_NAMES:
            raise ValueError(f"camera {number} has model number {model_id}, which is not supported")
        model = MODEL_NAMES[model_id]
        intrinsics[number] = (model, width, height, _take(file, f"{len(CAMERA_MODELS[model])}d"))
    images: list[_Image] = []
    file = io.BytesIO((folder / "images.bin").read_bytes())
    for _ in range(_take(file, "Q")[0]):
        number, *pose, camera_id = _take(file, "I7dI")
        name = _take_name(file)
        rows = [_take(file, "ddQ")[:2] for _ in range(_take(file, "Q")[0])]
        seen = np.array(rows, float).reshape(-1, 2)
        images.append((number, np.array(pose[:4]), np.array(pose[4:]), camera_id, name, seen))
    return _assemble(intrinsics, images, _read_binary_points(folder / "points3D.bin"))


def _read_binary_points(path: Path) -> list[_Point]:
    if not path.is_file():
        return []
    file: BinaryIO = io.BytesIO(path.read_bytes())
    points: list[_Point] = []
    for _ in range(_take(file, "Q")[0]):
        _, x, y, z, r, g, b, _, length = _take(file, "QdddBBBdQ")
        track = np.array(_take(file, f"{2 * length}I"), np.int64).reshape(-1, 2)
        points.append(([x, y, z], [r, g, b], [(int(i), int(j)) for i, j in track]))
    return points


def _binary_files(model: SparseModel) -> dict[str, bytes]:
    count = len(model.cameras)
    cameras, images = bytearray(struct.pack("<Q", count)), bytearray(struct.pack("<Q", count))
    points = bytearray(struct.pack("<Q", len(model.points)))
    for i, (camera, seen) in enumerate(zip(model.cameras, _observations(model), strict=True), 1):
        cameras += struct.pack("<IiQQ", i, LENS_MODELS[camera.model].number, camera.width, camera.height)
        cameras += struct.pack(f"<{len(camera.params)}d", *camera.params)
        pose = [*quaternion_from_rotation(camera.rotation), *camera.translation]
        images += struct.pack("<I7dI", i, *pose, i) + camera.name.encode() + b"\0"
        images += struct.pack("<Q", len(seen))
        for observation in seen:
            images += struct.pack("<ddQ", *observation)
    table = zip(model.points.positions, model.points.colours, _track_rows(model), strict=True)
    for i, (position, colour, track) in enumerate(table, 1):
        points += struct.pack("<QdddBBBdQ", i, *map(float, position), *map(int, colour), 0.0, len(track))
        for pair in track:
            points += struct.pack("<II", *pair)
    return {"cameras.bin": bytes(cameras), "images.bin": bytes(images), "points3D.bin": bytes(points)}
