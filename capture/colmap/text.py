"""COLMAP's text files, read as COLMAP reads them.

Empty lines and comments may stand anywhere but between an image and its observations.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from capture.colmap.model import SparseModel
from capture.colmap.quaternions import quaternion_from_rotation
from capture.colmap.tables import Frame, ImageRow, Intrinsics, PointRow, Pose, Tables, observations, track_rows


def read_text(folder: Path) -> Tables:
    """The tables in `folder`; raises `ValueError` where they are damaged."""
    cameras: dict[int, Intrinsics] = {}
    for line in _lines(folder / "cameras.txt"):
        number, model, width, height, *params = line.split()
        cameras[int(number)] = (model, _whole(width), _whole(height), tuple(map(float, params)))
    images = {}
    for head, tail in _image_lines(folder / "images.txt"):
        number, *pose, camera, name = head.split(maxsplit=9)
        seen = np.array(tail.split(), float).reshape(-1, 3)[:, :2]
        images[int(number)] = ImageRow(Pose.of(list(map(float, pose))), int(camera), name, seen)
    points = []
    for line in _lines(folder / "points3D.txt"):
        fields = line.split()
        if len(fields) < 7:
            raise ValueError(f"a point has 7 numbers or more, not {len(fields)}")
        track = list(map(int, fields[8:]))
        pairs = list(zip(track[::2], track[1::2], strict=True))
        points.append(PointRow(list(map(float, fields[1:4])), list(map(_whole, fields[4:7])), pairs))
    return Tables(cameras, images, points, _read_rigs(folder / "rigs.txt"), _read_frames(folder / "frames.txt"))


def count_text(folder: Path) -> int:
    """Number of images of the model."""
    return sum(1 for _ in _image_lines(folder / "images.txt"))


def _all_lines(path: Path) -> list[str]:
    """The lines without white space around them; names may be in any encoding, as those of files may."""
    if not path.is_file():
        return []
    text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    return [line.strip() for line in text.split("\n")]  # not `splitlines`, which knows ends of lines within names


def _lines(path: Path) -> Iterator[str]:
    return (line for line in _all_lines(path) if line and not line.startswith("#"))


def _image_lines(path: Path) -> Iterator[tuple[str, str]]:
    """Per image its line and that of its observations, which may be empty, or missing at the end of the file."""
    lines = iter(_all_lines(path))
    for head in lines:
        if head and not head.startswith("#"):
            yield head, next((line for line in lines if not line.startswith("#")), "")


def _whole(text: str) -> int:
    """An integer that may be written as 640.0."""
    number = float(text)
    if number != int(number):
        raise ValueError(f"{text} is no whole number")
    return int(number)


def _read_rigs(path: Path) -> dict[int, dict[int, Pose | None]]:
    rigs = {}
    for line in _lines(path):
        fields = iter(line.split())
        number, count = int(next(fields)), int(next(fields))
        cameras: dict[int, Pose | None] = {}
        for i in range(count):
            kind, sensor = next(fields), int(next(fields))
            known = i == 0 or next(fields) == "1"
            pose = Pose.of([float(next(fields)) for _ in range(7)]) if i and known else None
            if kind == "CAMERA" and known:
                cameras[sensor] = pose
        rigs[number] = cameras
    return rigs


def _read_frames(path: Path) -> dict[int, Frame]:
    frames = {}
    for line in _lines(path):
        fields = line.split()
        data = list(zip(fields[10::3], fields[12::3], strict=True))
        if len(data) != int(fields[9]):
            raise ValueError(f"frame {fields[0]} has {len(data)} data, not {fields[9]}")
        images = [int(image) for kind, image in data if kind == "CAMERA"]
        frames[int(fields[0])] = Frame(int(fields[1]), Pose.of(list(map(float, fields[2:9]))), images)
    return frames


def text_files(model: SparseModel) -> dict[str, bytes]:
    """The content of a model's files, by their names."""

    def number(value: float) -> str:
        return repr(float(value))  # the shortest text that reads back as the same double

    cameras, images, points = ["# CAMERA_ID MODEL WIDTH HEIGHT PARAMS[]"], [], []
    images.append("# IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME, then POINTS2D[] as X Y POINT3D_ID")
    points.append("# POINT3D_ID X Y Z R G B ERROR TRACK[] as IMAGE_ID POINT2D_IDX")
    for i, (camera, seen) in enumerate(zip(model.cameras, observations(model), strict=True), 1):
        params = " ".join(map(number, camera.params))
        cameras.append(f"{i} {camera.model} {camera.width} {camera.height} {params}")
        pose = [*quaternion_from_rotation(camera.rotation), *camera.translation]
        images.append(f"{i} {' '.join(map(number, pose))} {i} {camera.name}")
        images.append(" ".join(f"{number(x)} {number(y)} {p}" for x, y, p in seen))
    table = zip(model.points.positions, model.points.colours, track_rows(model), strict=True)
    for i, (position, colour, track) in enumerate(table, 1):
        pairs = " ".join(f"{image} {row}" for image, row in track)
        points.append(f"{i} {' '.join(map(number, position))} {' '.join(map(str, colour))} 0 {pairs}")
    tables = {"cameras.txt": cameras, "images.txt": images, "points3D.txt": points}
    return {name: ("\n".join(lines) + "\n").encode(errors="surrogateescape") for name, lines in tables.items()}
