"""Cameras of a Blender scene, as the script of docs/pipelines.md writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from capture import InputError
from scans.imports.image_files import ImageFiles
from scans.imports.records import BrownLens, Pose, Scene, View, naming
from scans.imports.source import Source


def recognise(source: Source) -> bool:
    cameras = source.json.get("cameras") if source.has_keys("cameras", "resolution_x") else None
    return isinstance(cameras, list) and all("matrix_world" in each for each in cameras)


def read(source: Source, images: ImageFiles) -> Scene:
    file, views = source.json, []
    for each in file["cameras"]:
        name = str(each["name"])
        with naming(f"camera {name}"):
            matrix = np.array(each["matrix_world"], float)
            matrix[:3, :3] /= np.linalg.norm(matrix[:3, :3], axis=0)  # an object's scale is none of its view
            views.append(View(name, images.find(name), Pose.of_opengl(matrix), _lens({**file, **each})))
    if not views:
        raise InputError("it has no cameras")
    return Scene("Blender", "matrix_world, lens and shift", "of the scene", views)


def _lens(given: Mapping[str, Any]) -> BrownLens:
    if str(given.get("type", "PERSP")) != "PERSP":
        raise InputError(f"it is of the type {given['type']}; only perspective cameras are read")
    share = float(given.get("resolution_percentage", 100)) / 100
    width, height = int(given["resolution_x"] * share), int(given["resolution_y"] * share)
    aspect = float(given.get("pixel_aspect_y", 1)) / float(given.get("pixel_aspect_x", 1))  # of pixels
    wide, tall = float(width), height * aspect
    fit = str(given.get("sensor_fit", "AUTO"))
    horizontal = fit == "HORIZONTAL" or (fit == "AUTO" and wide >= tall)
    side = wide if horizontal else tall  # what the sensor's size is spread over, in pixels' widths
    sensor = float(given["sensor_height"] if fit == "VERTICAL" else given["sensor_width"])
    focal = float(given["lens"]) / sensor * side
    cx = width / 2 - float(given.get("shift_x", 0)) * side
    cy = height / 2 + float(given.get("shift_y", 0)) * side / aspect
    return BrownLens(width, height, focal, focal / aspect, cx, cy)
