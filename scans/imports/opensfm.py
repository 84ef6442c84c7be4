"""OpenSfM: `reconstruction.json`, with the tie points' pixels of the `tracks.csv` beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from capture import InputError
from scans.imports.image_files import ImageFiles
from scans.imports.records import Array, BrownLens, ColmapLens, Lens, Observed, Pose, Scene, View, naming
from scans.imports.source import Source

NAME = "reconstruction.json"
TRACKS = "tracks.csv"


def recognise(source: Source) -> bool:
    found = source.json
    return isinstance(found, list) and bool(found) and isinstance(found[0], dict) and "shots" in found[0]


def read(source: Source, images: ImageFiles) -> Scene:
    parts = sorted(source.json, key=lambda part: -len(part["shots"]))
    chosen, views = parts[0], []
    for name, shot in chosen["shots"].items():
        with naming(f"shot {name}"):
            lens = _lens(chosen["cameras"][shot["camera"]])
            pose = Pose(_rotation(shot["rotation"]), np.array(shot["translation"], float))
        views.append(View(name, images.find(name), pose, lens))
    if not views:
        raise InputError("it has no cameras: its list of shots is empty")
    others = [str(len(part["shots"])) for part in parts[1:]]
    notes = (
        [f"{len(others)} other reconstructions of {', '.join(others)} shots, in frames of their own, left out"]
        if others
        else []
    )
    tracks = source.place / TRACKS
    points = _points(chosen.get("points") or {}, views, tracks) if tracks.is_file() else Observed()
    unit = "metres about the reference_lla" if "reference_lla" in chosen else "of the project"
    generation = "with tracks.csv" if tracks.is_file() else f"no {TRACKS} beside it, so its points have no pixels"
    return Scene("OpenSfM", generation, unit, views, points, notes=notes)


def _rotation(angle_axis: ArrayLike) -> Array:
    """The rotation (3, 3) by the length of a vector (3,) about its direction (Rodrigues)."""
    vector = np.array(angle_axis, float).reshape(3)
    angle = float(np.linalg.norm(vector))
    if angle == 0:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def _lens(given: Mapping[str, Any]) -> Lens:
    kind = str(given.get("projection_type", "perspective"))
    width, height = int(given["width"]), int(given["height"])
    long = max(width, height)
    fx, fy = (float(given[name] if name in given else given["focal"]) * long for name in ("focal_x", "focal_y"))
    cx, cy = width / 2 + float(given.get("c_x", 0)) * long, height / 2 + float(given.get("c_y", 0)) * long
    names = {"perspective": "k1 k2", "brown": "k1 k2 k3 p1 p2", "fisheye_opencv": "k1 k2 k3 k4"}.get(kind)
    if names is None:
        raise InputError(f"its projection is {kind}, which is not read; use perspective, brown or fisheye_opencv")
    values = {name: float(given.get(name, 0)) for name in names.split()}
    if kind == "fisheye_opencv":
        return ColmapLens(width, height, "OPENCV_FISHEYE", values | {"fx": fx, "fy": fy, "cx": cx, "cy": cy})
    return BrownLens(width, height, fx, fy, cx, cy, **values)


def _points(points: Mapping[str, Any], views: list[View], tracks: Path) -> Observed:
    """The points that tracks have pixels of: about the image's middle, in shares of its longer side."""
    index = {view.name: number for number, view in enumerate(views)}
    seen: dict[str, dict[int, list[float]]] = defaultdict(dict)
    with naming(TRACKS), tracks.open(encoding="utf-8") as lines:
        for line in lines:
            words = line.rstrip("\n").split("\t")
            if len(words) < 5 or words[0] not in index or words[1] not in points:
                continue
            view = index[words[0]]
            lens = views[view].lens
            assert lens is not None
            long = max(lens.width, lens.height)
            x, y = float(words[3]) * long + lens.width / 2, float(words[4]) * long + lens.height / 2
            seen[words[1]][view] = [x, y]
    names = [name for name in points if name in seen]
    positions = np.array([points[name]["coordinates"] for name in names], float)
    colours = np.array([points[name].get("color", (255, 255, 255)) for name in names]).reshape(-1, 3).round()
    at = [np.array(list(seen[name]), np.int64) for name in names]
    pixels = [np.array(list(seen[name].values())) for name in names]
    return Observed(positions, at, pixels, colours.astype(np.uint8))
