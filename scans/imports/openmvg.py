"""openMVG: `sfm_data.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from capture import InputError
from scans.imports.image_files import ImageFiles
from scans.imports.records import BrownLens, ColmapLens, Lens, Observed, Pose, Scene, View, naming
from scans.imports.source import Source

_ID = 0x7FFFFFFF  # bits of a polymorphic id; the one above says that its name follows
_COEFFICIENTS = {
    "pinhole": ("", ()),
    "pinhole_radial_k1": ("disto_k1", ("k1",)),
    "pinhole_radial_k3": ("disto_k3", ("k1", "k2", "k3")),
    "pinhole_brown_t2": ("disto_t2", ("k1", "k2", "k3", "p1", "p2")),
    "fisheye": ("fisheye", ("k1", "k2", "k3", "k4")),
}  # type -> the key of its coefficients, and their names


def recognise(source: Source) -> bool:
    return source.has_keys("sfm_data_version", "views")


def read(source: Source, images: ImageFiles) -> Scene:
    file = source.json
    intrinsics, poses = (
        _intrinsics(file.get("intrinsics") or ()),
        {each["key"]: each["value"] for each in file["extrinsics"]},
    )
    views, index = [], {}
    for number, each in enumerate(file["views"] or ()):
        given = each["value"]["ptr_wrapper"]["data"]
        path = "/".join(part for part in (given.get("local_path"), given["filename"]) if part)
        pose = lens = None
        with naming(f"view {path}"):
            found = poses.get(given["id_pose"])
            if found is not None and given["id_intrinsic"] in intrinsics:
                lens = _lens(*intrinsics[given["id_intrinsic"]])
                pose = Pose.at(np.array(found["center"], float), np.array(found["rotation"], float))
        index[given["id_view"]] = number
        views.append(View(path, images.find(f"{file.get('root_path') or ''}/{path}"), pose, lens))
    if not views:
        raise InputError("it has no cameras: its list of views is empty; export views, intrinsics and extrinsics")
    points = _points(file.get("structure") or (), index)
    return Scene("openMVG", f"sfm_data {file['sfm_data_version']}", "of the project", views, points)


def _intrinsics(given: Any) -> dict[Any, tuple[str, Mapping[str, Any]]]:
    """Key -> type and values. A type's name is written the first time alone, later its number."""
    names: dict[int, str] = {}
    found = {}
    for each in given:
        value = each["value"]
        number = int(value.get("polymorphic_id", 0)) & _ID
        if "polymorphic_name" in value:
            names[number] = str(value["polymorphic_name"])
        found[each["key"]] = (names.get(number, "unnamed"), value["ptr_wrapper"]["data"])
    return found


def _lens(kind: str, given: Mapping[str, Any]) -> Lens:
    if kind not in _COEFFICIENTS:
        raise InputError(f"its camera is of the type {kind}, which is not read; use a pinhole type or fisheye")
    key, names = _COEFFICIENTS[kind]
    width, height, focal = int(given["width"]), int(given["height"]), float(given["focal_length"])
    cx, cy = map(float, given["principal_point"])
    coefficients = [float(each) for each in given[key]] if key else []
    if len(coefficients) > len(names):
        raise InputError(f"its {key} has {len(coefficients)} coefficients; {len(names)} are known")
    values = dict(zip(names, coefficients, strict=False))
    if kind == "fisheye":
        return ColmapLens(width, height, "OPENCV_FISHEYE", values | {"fx": focal, "fy": focal, "cx": cx, "cy": cy})
    return BrownLens(width, height, focal, focal, cx, cy, **values)


def _points(structure: Any, index: Mapping[Any, int]) -> Observed:
    positions, views, pixels = [], [], []
    for each in structure:
        point = each["value"]
        seen = [one for one in point.get("observations") or () if one["key"] in index]
        if seen:
            positions.append([float(value) for value in point["X"]])
            views.append(np.array([index[one["key"]] for one in seen], np.int64))
            pixels.append(np.array([one["value"]["x"] for one in seen], float))
    return Observed(np.array(positions), views, pixels)
