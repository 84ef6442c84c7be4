"""transforms.json of nerfstudio, instant-ngp and the synthetic scenes that are rendered with Blender."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from capture import InputError
from scans.imports.image_files import ImageFiles, size_of
from scans.imports.records import Array, BrownLens, ColmapLens, Lens, Pose, Scene, View, naming
from scans.imports.source import Source

NAMES = ("transforms.json", "transforms_train.json", "transforms_val.json", "transforms_test.json")
_PERSPECTIVE = ("OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "PERSPECTIVE")
_SPLITS = NAMES[1:]


def recognise(source: Source) -> bool:
    if source.folder is not None:
        return any((source.folder / name).is_file() for name in NAMES)
    return source.has_keys("frames") and isinstance(source.json["frames"], list)


def read(source: Source, images: ImageFiles) -> Scene:
    views: list[View] = []
    notes: list[str] = []
    undone = False
    for path in _files(source):
        found = source.json if source.folder is None else _parsed(path)
        if not isinstance(found, dict) or not isinstance(found.get("frames"), list):
            raise InputError(f"{path.name} has no list of frames")
        undone |= "applied_transform" in found or "applied_scale" in found
        with naming(path.name):
            views += _views(found, path.parent, images)
    if not views:
        raise InputError("it has no cameras: its list of frames is empty")
    others = [name for name in _SPLITS if (source.place / name).is_file()]
    if source.folder is None and source.path.name in others and len(others) > 1:
        rest = ", ".join(name for name in others if name != source.path.name)
        notes.append(f"{rest} beside it not read: name the folder for all of them")
    unit = "of the model that it was made of" if undone else "the file's own: its frame is not the source model's"
    generation = "applied_transform undone" if undone else "frame as written"
    return Scene("transforms.json", generation, unit, views, notes=notes)


def _files(source: Source) -> list[Path]:
    if source.folder is None:
        return [source.path]
    whole = source.folder / NAMES[0]
    return (
        [whole] if whole.is_file() else [source.folder / name for name in _SPLITS if (source.folder / name).is_file()]
    )


def _parsed(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise InputError(f"{path.name} is not valid JSON: {error}") from None


def _views(file: Mapping[str, Any], place: Path, images: ImageFiles) -> list[View]:
    to_source, views = _undoing(file), []
    for frame in file["frames"]:
        name = str(frame["file_path"])
        with naming(f"frame {name}"):
            both = {key: value for key, value in file.items() if key != "frames"} | dict(frame)
            image = _image(name, place, images)
            matrix = np.array(frame["transform_matrix"], float)
            pose = Pose.of_opengl(to_source(matrix))
            lens = None if image is None else _lens(both, image)
            mask = _beside(place, str(frame["mask_path"])) if frame.get("mask_path") else None
        views.append(View(name, image, pose, lens, mask if mask is not None and mask.is_file() else None))
    return views


def _undoing(file: Mapping[str, Any]) -> Any:
    """The function that takes poses back to the frame that nerfstudio's `applied_transform` was applied to."""
    applied = np.eye(4)
    if "applied_transform" in file:
        with naming("applied_transform"):
            given = np.array(file["applied_transform"], float)
            turned = Pose(given[:3, :3], given[:3, 3])
            applied[:3, :3], applied[:3, 3] = turned.rotation, turned.translation
    scale = float(file.get("applied_scale", 1.0))
    if not np.isfinite(scale) or scale <= 0:
        raise InputError(f"applied_scale is {scale}")

    def undo(matrix: Array) -> Array:
        if matrix.shape not in ((3, 4), (4, 4)):
            raise InputError("its transform_matrix is neither 3 x 4 nor 4 x 4")
        square = np.eye(4)
        square[:3] = matrix[:3]
        square[:3, 3] /= scale
        return np.asarray(np.linalg.inv(applied) @ square)

    return undo


def _beside(place: Path, name: str) -> Path:
    return Path(os.path.normpath(place / name.replace("\\", "/")))


def _image(name: str, place: Path, images: ImageFiles) -> Path | None:
    """The image at the path that the file has, with or without a suffix; else one of that name below the folder."""
    direct = _beside(place, name)
    there = next((path for path in (direct, direct.with_name(f"{direct.name}.png")) if path.is_file()), None)
    root = images.root.resolve()
    if there is not None and there.resolve().is_relative_to(root):
        return images.root / there.resolve().relative_to(root)
    return images.find(name) or there


def _lens(given: Mapping[str, Any], image: Path) -> Lens:
    if any(each for each in _flat(given.get("rolling_shutter"))):
        raise InputError("it has a rolling shutter, which no COLMAP camera has")
    width, height = _size(given, image)
    model = str(given.get("camera_model", "OPENCV")).upper()
    values = {name: float(given.get(name) or 0.0) for name in ("k1", "k2", "k3", "k4", "p1", "p2")}
    focal = _focal(given, width, height)
    middle = float(given.get("cx", width / 2)), float(given.get("cy", height / 2))
    if model == "OPENCV_FISHEYE" or given.get("is_fisheye"):
        if values["p1"] or values["p2"]:
            raise InputError("its fisheye has p1 or p2, which OpenCV's has not")
        named = dict(zip(("fx", "fy", "cx", "cy"), (*focal, *middle), strict=True))
        return ColmapLens(width, height, "OPENCV_FISHEYE", values | named)
    if model not in _PERSPECTIVE:
        raise InputError(f"its camera model is {model}, which is not read; undistort the images to OPENCV or PINHOLE")
    if values["k4"]:
        raise InputError("its k4 means one thing to nerfstudio's rays and another to OpenCV; calibrate without it")
    if "PINHOLE" in model:
        values = dict.fromkeys(values, 0.0)
    return BrownLens(width, height, *focal, *middle, **values)


def _flat(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _size(given: Mapping[str, Any], image: Path) -> tuple[int, int]:
    if given.get("w") and given.get("h"):
        width, height = float(given["w"]), float(given["h"])
        if width != int(width) or height != int(height):
            raise InputError(f"its size is {width} x {height}, not whole pixels")
        return int(width), int(height)
    return size_of(image)


def _focal(given: Mapping[str, Any], width: int, height: int) -> tuple[float, float]:
    if given.get("fl_x"):
        return float(given["fl_x"]), float(given.get("fl_y") or given["fl_x"])
    if given.get("camera_angle_x"):
        focal = width / (2 * np.tan(float(given["camera_angle_x"]) / 2))
        angle = given.get("camera_angle_y")
        return focal, height / (2 * np.tan(float(angle) / 2)) if angle else focal
    raise InputError("it has neither fl_x nor camera_angle_x, so no focal length")
