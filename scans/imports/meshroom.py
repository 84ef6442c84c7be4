"""Meshroom and AliceVision: `cameras.sfm` and `sfm.json`, in all versions up to 1.2.

The meaning of focal length, ratio of pixels and principal point has changed five times; the file's version tells. All
numbers are strings. Rotations are written column by column.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from capture import InputError
from scans.imports.image_files import ImageFiles
from scans.imports.records import BrownLens, Observed, Pose, Scene, View, naming
from scans.imports.source import Source

Version = tuple[int, ...]

_RADIAL = {"none": 0, "pinhole": 0, "radial1": 1, "radialk1": 1, "radial3": 3, "radialk3": 3, "brown": 5}
_NO_RIG = ("", "4294967295")


def recognise(source: Source) -> bool:
    return source.has_keys("views", "intrinsics") and "sfm_data_version" not in source.json


def read(source: Source, images: ImageFiles) -> Scene:
    file = source.json
    version = tuple(int(each) for each in file["version"])
    shown = ".".join(map(str, version))
    if version[:2] > (1, 2):
        raise InputError(f"its version is {shown}; versions up to 1.2 are read")
    rigs = {str(rig.get("rigId")) for rig in file.get("rigs") or ()}
    poses = {str(each["poseId"]): each["pose"]["transform"] for each in file.get("poses") or ()}
    intrinsics = {str(each["intrinsicId"]): each for each in file["intrinsics"] or ()}
    views, index = [], {}
    for number, each in enumerate(file["views"] or ()):
        path, pose, lens = str(each["path"]), None, None
        with naming(f"view {path}"):
            if str(each.get("rigId", "")) in rigs or (each.get("subPoseId", "") not in _NO_RIG and rigs):
                raise InputError("it is part of a rig, which is not read; export to COLMAP")
            transform = poses.get(str(each.get("poseId")))
            if transform is not None and str(each.get("intrinsicId")) in intrinsics:
                lens = _lens(intrinsics[str(each["intrinsicId"])], version)
                rotation = np.array(transform["rotation"], float).reshape(3, 3).T
                pose = Pose.at(np.array(transform["center"], float), rotation)
        index[str(each["viewId"])] = number
        views.append(View(path, images.find(path), pose, lens))
    if not views:
        raise InputError("it has no cameras: its list of views is empty")
    points = _points(file.get("structure") or (), index)
    return Scene("Meshroom", f"version {shown}, {_regime(version)}", "of the project", views, points)


def _regime(version: Version) -> str:
    if version < (1, 2, 1):
        return "focal length in pixels, absolute principal point"
    offset = "principal point from the middle"
    if version < (1, 2, 2):
        return f"focal length in pixels, {offset}"
    ratio = "fx / fy" if version < (1, 2, 5) else "fy / fx"
    return f"focal length along {'y' if version >= (1, 2, 11) else 'x'} in mm, ratio {ratio}, {offset}"


def _lens(given: Mapping[str, Any], version: Version) -> BrownLens:
    width, height = int(given["width"]), int(given["height"])
    middle = (0.0, 0.0) if version < (1, 2, 1) else (width / 2, height / 2)
    cx, cy = (float(value) + at for value, at in zip(given["principalPoint"], middle, strict=True))
    values = _distortion(given, version)
    return BrownLens(width, height, *_focal(given, version, width), cx, cy, **values)


def _focal(given: Mapping[str, Any], version: Version, width: int) -> tuple[float, float]:
    if version < (1, 2, 2):
        focal = given["pxFocalLength"]
        both = [float(each) for each in focal] if isinstance(focal, list) else [float(focal)]
        return both[0], both[-1]
    sensor = float(given["sensorWidth"])
    if not sensor > 0:
        raise InputError(f"its sensorWidth is {sensor}, so its focal length in mm means nothing")
    focal, ratio = float(given["focalLength"]) / sensor * width, float(given.get("pixelRatio") or 1.0)
    if version < (1, 2, 5):
        return focal, focal / ratio
    return (focal, focal * ratio) if version < (1, 2, 11) else (focal / ratio, focal)


def _distortion(given: Mapping[str, Any], version: Version) -> dict[str, float]:
    kind = str(given.get("type", "pinhole"))
    model = kind
    if version >= (1, 2, 8):
        if kind != "pinhole":
            raise InputError(f"its camera is of the type {kind}, which is not read; undistort the images in Meshroom")
        model = str(given.get("distortionType") or "none")
    params = [float(each) for each in given.get("distortionParams") or ()]
    if model not in _RADIAL:
        raise InputError(f"its distortion is {model}, which is not read; calibrate with radialk3 or brown")
    if len(params) > _RADIAL[model] and any(params[_RADIAL[model] :]):
        raise InputError(f"its distortion {model} has {len(params)} parameters; {_RADIAL[model]} are known")
    undistortion = str(given.get("undistortionType") or "none")
    offset = [float(each) for each in given.get("undistortionOffset") or ()]
    if undistortion != "none" or any(offset):
        raise InputError(f"it has an undistortion of its own ({undistortion}), which is not read")
    return dict(zip(("k1", "k2", "k3", "p1", "p2"), params[: _RADIAL[model]], strict=False))


def _points(structure: Any, index: Mapping[str, int]) -> Observed:
    positions, colours, views, pixels = [], [], [], []
    for point in structure:
        seen = [
            each for each in point.get("observations") or () if str(each["observationId"]) in index and each.get("x")
        ]
        if seen:
            positions.append([float(each) for each in point["X"]])
            colours.append([int(each) for each in point.get("color") or (255, 255, 255)])
            views.append(np.array([index[str(each["observationId"])] for each in seen], np.int64))
            pixels.append(np.array([each["x"] for each in seen], float))
    return Observed(np.array(positions), views, pixels, np.array(colours, np.uint8).reshape(-1, 3))
