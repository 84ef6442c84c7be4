"""Polycam's raw data and Record3D's `metadata`: cameras of a phone, in metres, y up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import Path as ZipPath

import numpy as np

from capture import InputError
from capture.listing import list_files
from scans.imports.image_files import ImageFiles
from scans.imports.records import Array, BrownLens, ImageFile, Pose, Scene, View, naming
from scans.imports.source import Source

CORRECTED, RAW = "corrected_cameras", "cameras"
_UNIT = "metres, y up"


def recognise_polycam(source: Source) -> bool:
    return bool(_polycam_files(source))


def read_polycam(source: Source, images: ImageFiles) -> Scene:
    files = _polycam_files(source)
    views = []
    for path in files:
        with naming(path.name):
            given = json.loads(path.read_text(encoding="utf-8"))
            matrix = [[float(given[f"t_{i}{j}"]) for j in range(4)] for i in range(3)]
            values = [float(given[name]) for name in ("fx", "fy", "cx", "cy")]
            lens = BrownLens(int(given["width"]), int(given["height"]), *values)
            views.append(View(path.stem, images.find(path.stem), Pose.of_opengl(matrix), lens))
    optimised = files[0].parent.name == CORRECTED
    notes = [] if optimised else ["cameras as the phone had them: the corrected ones of a processed capture are better"]
    if optimised:
        notes.append("corrected images have black borders")
    if (files[0].parent.parent.parent / "mesh_info.json").is_file():
        notes.append("the exported mesh is in another frame: mesh_info.json has its alignmentTransform")
    return Scene("Polycam", "corrected cameras" if optimised else "raw cameras", _UNIT, views, notes=notes)


def _polycam_files(source: Source) -> list[Path]:
    """The files of the cameras, corrected ones where there are any."""
    if source.folder is None:
        return list_files(source.place, below=False) if source.has_keys("t_00", "t_23", "fx") else []
    place = source.folder
    for folder in (place / "keyframes" / CORRECTED, place / CORRECTED, place / "keyframes" / RAW, place / RAW, place):
        found = list_files(folder, below=False) if folder.is_dir() else []
        found = [path for path in found if path.suffix == ".json"]
        if found and found[0].stat().st_size < 1 << 16 and '"t_00"' in found[0].read_text(errors="replace"):
            return found
    return []


def recognise_record3d(source: Source) -> bool:
    if source.zip is not None:
        return "metadata" in source.zip.namelist()
    return source.has_keys("poses", "K")


def read_record3d(source: Source, images: ImageFiles) -> Scene:
    given = source.json if source.zip is None else json.loads(source.zip.read("metadata"))
    lenses = _Lenses(given)
    views = []
    for number, pose in enumerate(given["poses"]):
        with naming(f"frame {number}"):
            image: ImageFile | None = images.find(f"rgbd/{number}.jpg")
            if source.zip is not None:
                member = ZipPath(source.zip, f"rgbd/{number}.jpg")
                image = member if member.exists() else None
            found = Pose.of_opengl(np.column_stack([_rotation(np.array(pose[:4], float)), np.array(pose[4:7], float)]))
            views.append(View(str(number), image, found, lenses(number)))
    if not views:
        raise InputError("it has no cameras: its list of poses is empty")
    return Scene("Record3D", lenses.generation, _UNIT, views)


class _Lenses:
    """Lens per frame: of the frame's own coefficients where the file has them, else of the matrix K of all."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._size = int(given["w"]), int(given["h"])
        k = np.array(given["K"], float).reshape(3, 3).T  # written column by column
        if k[0, 1] or k[1, 0] or k[2].tolist() != [0, 0, 1]:
            raise InputError("its K is no matrix of a pinhole")
        self._all = (k[0, 0], k[1, 1], k[0, 2], k[1, 2])
        self._each = given.get("perFrameIntrinsicCoeffs") or []
        if self._each and len(self._each) != len(given["poses"]):
            raise InputError(f"{len(self._each)} frames have coefficients, {len(given['poses'])} poses")
        self.generation = "a lens per frame" if self._each else "one lens"

    def __call__(self, number: int) -> BrownLens:
        values = [float(each) for each in self._each[number]] if self._each else self._all
        return BrownLens(*self._size, *values)


def _rotation(quaternion: Array) -> Array:
    """The rotation (3, 3) of a quaternion x, y, z, w."""
    x, y, z, w = quaternion / np.linalg.norm(quaternion)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.array(rows)
