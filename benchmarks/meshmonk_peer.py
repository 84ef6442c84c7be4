"""MeshMonk (PyPI `meshmonk` 0.3.0, Apache-2.0) beside our registration, on rendered heads and on a real face.

    pip install meshmonk==0.3.0          # wheels for Python 3.10 to 3.13
    python -m benchmarks.meshmonk_peer CAPTURE ... [--real ../shared/data/james --labels prediction.npz]

MeshMonk is used as its authors do: the mean face of the same template, in millimetres, brought to the scan's skin by
landmarks with scale, then by its rigid registration, then by its pyramid, with its own defaults; and by its plain
non-rigid registration. Of the two the better counts. Its template is the face, without scalp, neck and chest, as theirs
is. Both programs start from the same seven landmarks: the true ones, or those that a person set.

Errors: of rendered heads from the face mask to the true surface, and of landmarks to where they truly are; of the real
face from the scan's skin to the surface, where the face mask is nearest, and of landmarks to those that a person set,
the seven left out.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets.geometry.surface import similarity
from assets.head_models.head_model import IBUG_68
from capture import Capture, HeadSurface, Labels, Mesh, Scan
from registration.errors import face_error
from registration.files.inputs import read_weights
from registration.pipeline import register
from registration.template import Template, load_template
from scans.distance import closest_points
from scans.meshes.reading import read_scan

Landmarks = Mapping[str, NDArray]

START = (
    "right_eye_outer", "right_eye_inner", "left_eye_inner", "left_eye_outer", "nose_tip", "right_mouth_corner",
    "left_mouth_corner",
)  # fmt: skip
ALIASES = {
    "right_eye_0": "right_eye_outer", "right_eye_3": "right_eye_inner", "left_eye_0": "left_eye_inner",
    "left_eye_3": "left_eye_outer", "nose_bridge_3": "nose_tip", "mouth_outer_0": "right_mouth_corner",
    "mouth_outer_6": "left_mouth_corner",
}  # fmt: skip
LJSON = (*IBUG_68[:17], *IBUG_68[36:48], *IBUG_68[17:22], *IBUG_68[27:36], *IBUG_68[22:27], *IBUG_68[48:])
_FACE_M = 0.105  # of the middle of the face: the part of the template that MeshMonk gets


@dataclass(frozen=True, eq=False)
class Case:
    """A scan in metres, the weights of its skin (V,), its landmarks, and the true surface where it is known."""

    name: str
    scan: Scan
    weights: NDArray
    landmarks: Landmarks
    truth: Mesh | None


def rendered_case(folder: Path, template: Template) -> Case:
    """A rendered head with its true labels; its landmarks are vertices of the true surface."""
    capture = Capture.read(folder)
    scan, truth = Scan.read(capture.scan_path), HeadSurface.read(folder / Capture.HEAD)
    skin = Labels.read(capture.labels_path, len(scan.vertices)).skin
    points = {name: template.landmark(truth.vertices, name) for name in template.model.landmarks}
    return Case(
        capture.info.id,
        scan,
        skin.astype(float),
        {name: point for name, point in points.items() if point is not None},
        truth,
    )


def real_case(folder: Path, labels: str) -> Case:
    """The scan of a real face in millimetres, with the 68 landmarks of menpo's LJSON file."""
    scan = read_scan(folder / "james.obj")
    points = json.loads((folder / "james.ljson").read_text())["groups"]["LJSON"]["landmarks"]["points"]
    landmarks = {name: np.asarray(point) / 1000 for name, point in zip(LJSON, points, strict=True)}
    landmarks |= {other: landmarks[name] for name, other in ALIASES.items()}
    weights = read_weights(labels, None, scan).weights
    metres = Scan(scan.vertices.astype(float) / 1000, scan.faces)
    return Case(folder.name, metres, np.ones(len(scan.vertices)) if weights is None else weights, landmarks, None)


def meshmonk_faces(template: Template, surface: NDArray) -> NDArray:
    """The triangles of the template that MeshMonk gets: what a scan shows of the face and around it."""
    near = np.linalg.norm(surface - surface[template.face_mask].mean(axis=0), axis=1) < _FACE_M
    kept = near & template.shown
    return template.faces[kept[template.faces].all(axis=1)]


def with_meshmonk(case: Case, template: Template, method: str) -> tuple[NDArray, float]:
    """Vertices (V, 3) of the template, NaN for those that MeshMonk does not get, and the seconds that it takes."""
    import meshmonk

    surface = template.surface(template.mean)
    faces = meshmonk_faces(template, surface)
    used = np.unique(faces)
    ours = np.stack([template.landmark(surface, name) for name in START])
    theirs = np.stack([case.landmarks[name] for name in START])
    kept = case.scan.faces[(case.weights >= 0.5)[case.scan.faces].all(axis=1)]
    skin = np.unique(kept)
    begun = time.perf_counter()
    scale, rotation, shift = similarity(ours, theirs, np.ones(len(START)))
    floating = _mesh(1000 * (scale * surface[used] @ rotation.T + shift), np.searchsorted(used, faces))
    target = _mesh(1000 * np.asarray(case.scan.vertices, float)[skin], np.searchsorted(skin, kept))
    rigid = meshmonk.rigid_register(floating=floating, target=target, compute_normals_flag=True, use_scaling=True)
    moved = _mesh(rigid.aligned_vertices, floating.faces)
    run = {"pyramid": meshmonk.pyramid_register, "nonrigid": meshmonk.nonrigid_register}[method]
    result = run(floating=moved, target=target, compute_normals_flag=True).aligned_vertices
    seconds = time.perf_counter() - begun
    vertices = np.full(surface.shape, np.nan)
    vertices[used] = np.asarray(result, float) / 1000
    return vertices, seconds


def _mesh(vertices: NDArray, faces: NDArray) -> Any:
    return SimpleNamespace(vertices=np.asarray(vertices, np.float32), faces=np.asarray(faces, np.int32))


def with_ours(case: Case, template: Template) -> tuple[NDArray, float]:
    """The same of our registration, of the whole template, from the same landmarks."""
    begun = time.perf_counter()
    given = {name: case.landmarks[name] for name in START}
    registration = register(template, case.scan, case.weights, landmarks=given)
    return registration.vertices, time.perf_counter() - begun


def scores(case: Case, template: Template, vertices: NDArray) -> dict[str, float]:
    """Errors in mm of a registration, on the part of the template that MeshMonk has."""
    surface = template.surface(template.mean)
    mesh = Mesh(np.where(np.isfinite(vertices), vertices, 0), meshmonk_faces(template, surface))
    found: dict[str, float] = {}
    if case.truth is not None:
        whole = Mesh(mesh.vertices, template.faces)
        mask = template.face_mask & np.isin(np.arange(len(vertices)), mesh.faces)
        error = face_error(whole, mask, case.truth)
        found |= {"mean": error.mean, "median": error.median, "p90": error.p90}
    skin = np.flatnonzero(case.weights >= 0.5)
    distance, face, _ = closest_points(np.asarray(case.scan.vertices, float)[skin], mesh)
    beside = template.face_mask[mesh.faces[face]].all(axis=1) & (distance < 0.02)
    found["scan_p50"], found["scan_p99"] = np.percentile(1000 * distance[beside], [50, 99])
    same = {*START, *ALIASES, *(name for name in case.landmarks if name.startswith("jaw_"))}
    names = [name for name in case.landmarks if name not in same and name in IBUG_68]
    apart = []
    for name in names:
        point = template.landmark(vertices, name)
        if point is not None and np.isfinite(point).all():
            apart.append(1000 * float(np.linalg.norm(point - case.landmarks[name])))
    found["landmarks"], found["landmarks_median"] = len(apart), float(np.median(apart))
    return {name: round(float(value), 3) for name, value in found.items()}


def measure(case: Case, template: Template) -> dict[str, dict[str, float]]:
    """Scores and seconds of both programs; prints a line for each."""
    rows = {}
    runs = {"ours": lambda: with_ours(case, template)}
    runs |= {
        f"meshmonk {name}": lambda name=name: with_meshmonk(case, template, name) for name in ("pyramid", "nonrigid")
    }
    for name, run in runs.items():
        vertices, seconds = run()
        rows[name] = {"seconds": round(seconds, 2), **scores(case, template, vertices)}
        print(case.name, name, rows[name], flush=True)
    return rows


TARGETS = {"mean": 0.5, "landmarks_median": 0.6, "scan_p99": 1.0, "seconds": 2.0}
"""Measure -> what ours may be of the better of MeshMonk's, at most."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", type=Path, nargs="*")
    parser.add_argument("--real", type=Path)
    parser.add_argument("--labels", default="none")
    options = parser.parse_args(arguments)
    template = load_template()
    cases = [rendered_case(folder, template) for folder in options.captures]
    if options.real:
        cases.append(real_case(options.real, options.labels))
    missed = 0
    for case in cases:
        rows = measure(case, template)
        for name, most in TARGETS.items():
            if name in rows["ours"]:
                peer = min(row[name] for key, row in rows.items() if key != "ours")
                ratio = rows["ours"][name] / peer
                missed += ratio > most
                verdict = "" if ratio <= most else ": MISSED"
                print(f"{case.name} {name}: {ratio:.2f} of MeshMonk's, {most} at most{verdict}")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
