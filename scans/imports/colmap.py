"""COLMAP models, as RealityScan, Metashape and others export them, and COLMAP's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from capture import CAMERA_MODELS, Camera, read_model
from capture.colmap import find_model
from capture.colmap.files import is_model
from scans.imports.image_files import ImageFiles
from scans.imports.records import ColmapLens, Observed, Pose, Scene, View
from scans.imports.source import Source

_FILES = tuple(f"{table}.{suffix}" for table in ("cameras", "images", "points3D") for suffix in ("txt", "bin"))


def recognise(source: Source) -> bool:
    return _model(source) is not None


def read(source: Source, images: ImageFiles) -> Scene:
    folder = _model(source)
    assert folder is not None
    model = read_model(folder)
    views = [
        View(camera.name, images.find(camera.name), Pose(camera.rotation, camera.translation), _lens(camera))
        for camera in model.cameras
    ]
    found = model.points
    points = Observed(found.positions, found.tracks, found.pixels, found.colours)
    doubts = []
    if any(_ambiguous(camera) for camera in model.cameras):
        doubts.append(
            "k4 of FULL_OPENCV is taken as COLMAP has it; where RealityScan wrote the file, it may mean r^8: export "
            "undistorted images"
        )
    kinds = ", ".join(sorted({camera.model for camera in model.cameras}))
    return Scene("COLMAP", f"models {kinds}", "of the model", views, points, doubts=doubts)


def _model(source: Source) -> Path | None:
    if source.folder is None:
        is_one = source.path.name in _FILES and is_model(source.place)
        return source.place if is_one else None
    for folder in (source.folder, source.folder / "sparse"):
        if (found := find_model(folder)) is not None:
            return found
    return None


def _lens(camera: Camera) -> ColmapLens:
    values = dict(zip(CAMERA_MODELS[camera.model], camera.params, strict=True))
    if camera.model == "FULL_OPENCV" and not np.any(camera.params[4:]):  # as RealityScan writes pinholes
        return ColmapLens(camera.width, camera.height, "PINHOLE", values)
    return ColmapLens(camera.width, camera.height, camera.model, values)


def _ambiguous(camera: Camera) -> bool:
    """Whether a FULL_OPENCV camera has a k4 and nothing after it, as the polynomial of other programs."""
    return camera.model == "FULL_OPENCV" and bool(camera.params[9]) and not any(camera.params[10:])
