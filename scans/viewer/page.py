"""The page of a view: one HTML file with its data, its program and three.js inside."""

from __future__ import annotations

import base64
import html
import json
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture import Mesh, write_bytes
from scans.pictures import colours
from scans.predictions import PARTS
from scans.viewer.packing import ByteStore, pack_mesh
from scans.viewer.pose import Pose, find_pose
from scans.viewer.reduction import reduced, without_strays
from scans.viewer.view import View, ViewedCamera, ViewedScan, ViewedTemplate

PAGE = "view.html"

_HERE = Path(__file__).parent
_LEVEL = 6  # of zlib: 9 takes four times as long for a hundredth less
_UNKNOWN = 255  # a byte of a distance that is not known
_TEMPLATE_MM = 2.0  # distance of the brightest colour, as in `registered.png`
_VIRIDIS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))  # at 0, 1/4, ... of matplotlib's


def write_view(path: Path, view: View) -> None:
    """Write the page of a view, atomically."""
    write_bytes(path, view_page(view).encode())


def view_page(view: View) -> str:
    """The page of a view."""
    store = ByteStore()
    scan = _add_scan(store, view.scan)
    pose = _pose(view)
    scene = {
        "title": view.title,
        "facts": [*view.facts, *scan.pop("facts")],
        "pose": {name: getattr(pose, name).tolist() for name in ("up", "front", "centre")} | {"radius": pose.radius},
        "scan": scan,
        "template": None if view.template is None else _add_template(store, view.template),
        "cameras": [_camera(camera) for camera in view.cameras],
        "arrays": store.places,
    }
    parts = {
        "title": html.escape(view.title),
        "style": _text("page/view.css"),
        "scene": json.dumps(scene, separators=(",", ":")).replace("<", "\\u003c"),
        "data": base64.b64encode(zlib.compress(store.joined(), _LEVEL)).decode(),
        "licence": _text("three/LICENSE").replace("--", "- -"),
        "three": _text("three/three.min.js"),
        "program": _text("page/view.js"),
    }
    return re.sub(r"\[\[(\w+)\]\]", lambda found: parts[found[1]], _text("page/view.html"))


def _pose(view: View) -> Pose:
    prediction = view.scan.prediction
    probability = None if prediction is None else prediction.probability
    tops, centres = ([getattr(camera, name) for camera in view.cameras] for name in ("up", "centre"))
    return find_pose(view.scan.scan, probability, tops, centres, view.up, view.front)


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _add_scan(store: ByteStore, shown: ViewedScan) -> dict[str, Any]:
    """Put a scan into the store; returns what the page has to know of it."""
    scan, prediction = shown.scan, shown.prediction
    core, of_scan = without_strays(scan)
    mesh, of_core = reduced(core)
    kept, described = _add_mesh(store, "scan", mesh)
    kept = of_scan[of_core][kept]
    facts = []
    if strays := len(scan.faces) - len(core.faces):
        facts.append(f"{strays:,} of its {len(scan.faces):,} faces, far from the others, are not shown")
    if len(mesh.vertices) < len(core.vertices):
        facts.append(f"shown with {len(kept):,} of its {len(scan.vertices):,} vertices")
    if scan.colours is not None:
        store.add_differences("scan.colour", scan.colours[kept])
    described |= {"colour": scan.colours is not None, "labels": None, "distance": None, "parts": None, "facts": facts}
    if prediction is None:
        return described
    store.add_differences("scan.probability", probability_bytes(prediction.probability[kept]))
    described["labels"] = {
        "certain": shown.certain,
        "skin": colours.SKIN.tolist(),
        "other": colours.OTHER.tolist(),
        "open": None if shown.known is None else colours.LEFT_OPEN.tolist(),
    }
    if shown.known is not None:
        store.add("scan.open", (~shown.known[kept]).astype(np.uint8))
    if prediction.distance_mm is not None:
        ends = colours.skin_distance_colours(np.array([0.0, colours.FAR_MM, np.nan])).tolist()
        store.add_differences("scan.distance", _distance_bytes(prediction.distance_mm[kept], colours.FAR_MM))
        described["distance"] = {"far_mm": colours.FAR_MM, "stops": ends[:2], "unknown": ends[2]}
    if prediction.part is not None:
        store.add("scan.part", prediction.part[kept])
        described["parts"] = {
            "names": [name.replace("_", " ") for name in PARTS],
            "colours": colours.part_colours(np.arange(len(PARTS))).tolist(),
            "unknown": colours.part_colours(np.array([255]))[0].tolist(),
        }
    return described


def _add_template(store: ByteStore, shown: ViewedTemplate) -> dict[str, Any]:
    kept, described = _add_mesh(store, "template", shown.mesh)
    store.add_differences("template.distance", _distance_bytes(shown.distance_mm[kept], _TEMPLATE_MM))
    store.add("template.measured", shown.measured[kept].astype(np.uint8))
    return described | {
        "plain": list(colours.PLAIN_COLOUR),
        "surface": shown.surface,
        "far_mm": _TEMPLATE_MM,
        "stops": [list(each) for each in _VIRIDIS],
    }


def _add_mesh(store: ByteStore, name: str, mesh: Mesh) -> tuple[NDArray[np.int64], dict[str, Any]]:
    packed = pack_mesh(mesh)
    store.add_differences(f"{name}.steps", packed.steps)
    store.add_corners(f"{name}.corners", packed.corners)
    described = {"vertices": len(packed.kept), "low": packed.low.tolist(), "step": packed.step}
    return packed.kept, described


def probability_bytes(probability: NDArray[np.floating]) -> NDArray[np.uint8]:
    """(V,) 0 to 255, rounded away from the half: what is skin above 0.5 is above 127.5, and no other."""
    scaled = np.clip(np.asarray(probability, np.float64), 0, 1) * 255
    return np.where(np.asarray(probability) > 0.5, np.ceil(scaled), np.floor(scaled)).astype(np.uint8)


def _distance_bytes(distance_mm: NDArray[np.floating], far_mm: float) -> NDArray[np.uint8]:
    """(V,) 0 to 254 for 0 to `far_mm` and beyond, 255 where it is not known."""
    share = np.clip(np.asarray(distance_mm, np.float64) / far_mm, 0, 1) * (_UNKNOWN - 1)
    return np.where(np.isfinite(share), share, _UNKNOWN).round().astype(np.uint8)


def _camera(camera: ViewedCamera) -> dict[str, Any]:
    rows, columns, _ = camera.points.shape
    points: Sequence[float | None] = [
        None if not np.isfinite(value) else round(float(value), 5) for value in camera.points.ravel()
    ]
    return {
        "name": camera.name,
        "centre": camera.centre.tolist(),
        "direction": camera.direction.tolist(),
        "up": camera.up.tolist(),
        "rows": rows,
        "columns": columns,
        "points": points,
        "image": "data:image/jpeg;base64," + base64.b64encode(camera.jpeg).decode(),
    }
