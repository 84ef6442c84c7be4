"""Registration of the files of a scan: a capture or a mesh in, the registered head out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assets.head_models.registry import load_head_model
from capture import (
    Capture,
    HeadSurface,
    InputError,
    Mesh,
    Scan,
    atomic_path,
    read_json,
    write_bytes,
    write_json,
)
from capture.ply import PlyMesh, write_ply
from registration.errors import face_error, surface_distance_mm
from registration.pipeline import Registration, RegistrationSettings, register
from registration.template import Template
from registration.weights import confidence_of
from scans.meshes import read_scan
from scans.pictures import PLAIN_COLOUR, distance_colours, faded, label_colours
from scans.predictions import Prediction
from scans.render import Stage, sheet
from scans.skin_labels import NO_LABELS, known_labels, read_skin
from scans.units import scan_unit

log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]

FOLDER = "registration"
_SHOWN_MM = 2.0  # the error from which on the picture shows no more
_DOUBTFUL_MM, _ASTRAY_MM = 1.0, 10.0  # median and 90th percentile of the fit from which on it is doubted
_SIDE = 420
_VIEWS = (("front", (0.0, 1.0, 0.0)), ("three quarters", (-0.7, 0.7, 0.0)), ("profile", (-1.0, 0.0, 0.0)))


@dataclass(frozen=True)
class RegisterOptions:
    """What is registered with what.

    Attributes:
        labels: `labels.npz` or `prediction.npz` of the scan, or "none" for the whole scan; None for what of the
            capture somebody painted, else its prediction, else its labels.
        template: the head model, as `load_head_model` takes it.
        landmarks: JSON file, name -> [x, y, z] in the scan's unit.
        unit: of the scan; guessed where None.
        out: folder; by default `registration/` in the capture, or `<scan>.registration` beside the scan.
    """

    labels: str | None = None
    template: str = "makehuman"
    landmarks: Path | None = None
    unit: str | None = None
    out: Path | None = None


@dataclass(frozen=True, eq=False)
class Registered:
    """A template on a scan.

    Attributes:
        name: of the capture or the file.
        scan: in metres.
        metres: per unit of the scan.
        weights: (V,) of its vertices, None where all of it counts.
        source: where the weights come from, in words.
        template: the head model.
        found: the registration.
    """

    name: str
    scan: Scan
    metres: float
    weights: NDArray | None
    source: str
    template: Template
    found: Registration

    @property
    def skin(self) -> NDArray[np.bool_]:
        """(V,) what of the scan counted."""
        if self.weights is None:
            return np.ones(len(self.scan.vertices), bool)
        return np.asarray(self.weights >= RegistrationSettings().least_weight)

    def skin_mesh(self) -> Mesh:
        """The faces of the scan that counted."""
        return Mesh(self.scan.vertices, self.scan.faces[self.skin[self.scan.faces].all(axis=1)])


def _silent(step: str, share: float) -> None:
    """Progress that nobody looks at."""


def fit_template(where: Path, options: RegisterOptions, progress: Progress = _silent) -> Registered:
    """Register the template to the scan of a capture or to a mesh file; nothing is written.

    `progress` is called with the step and the share of the whole that is done.

    Raises `InputError` where something is missing or doesn't belong together.
    """
    folder = where if where.is_dir() else None
    given = read_scan(where if folder is None else Capture.read(folder).scan_path)
    name = where.name if folder is None else Capture.read(folder).info.id
    metres, told = scan_unit(given, options.unit, f"scan of {name}")
    log.info("unit of %s", told)
    scan = given if metres == 1 else replace(given, vertices=given.vertices.astype(np.float64) * metres)
    weights, confidence, source = _weights(options.labels, folder, given)
    log.info("%s: %s", name, source)
    template = Template(load_head_model(options.template))
    landmarks = None if options.landmarks is None else _read_landmarks(options.landmarks, metres)
    found = register(template, scan, weights, RegistrationSettings(), landmarks, confidence, progress)
    return Registered(name, scan, metres, weights, source, template, found)


def register_scan(where: Path, options: RegisterOptions, progress: Progress = _silent) -> dict[str, Any]:
    """Register the template to a capture's scan or a mesh file, write the results, and return their summary.

    The folder gets `registered.ply`, `registered.obj` (quads with texture coordinates), `registered.json`
    (coefficients, times, and the error where the truth is known) and a picture; lengths in the scan's own unit.

    Raises `InputError` where something is missing or doesn't belong together.
    """
    folder = where if where.is_dir() else None
    out = options.out or (where.with_suffix(".registration") if folder is None else folder / FOLDER)
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out} is a file; name a folder")
    done = fit_template(where, options, progress)
    truth = _truth(folder)
    summary = _summary(done, truth)
    _write_mesh(out, done.template, done.found, done.metres)
    write_json(out / "registered.json", summary)
    with atomic_path(out / "registered.png") as path:
        Image.fromarray(_picture(done, truth)).save(path)
    fit = summary["fit"]
    log.info(
        "%s: the face lies %.2f mm from what counts of the scan in the median, 90 %% of it within %.2f mm",
        done.name,
        fit["median"],
        fit["p90"],
    )
    if fit["median"] > _DOUBTFUL_MM or fit["p90"] > _ASTRAY_MM:
        log.warning(
            "%s: that is far: look at %s; a wrong --unit, normals inward, labels that are not the face's, or a "
            "head that was not found (--landmarks) do that",
            done.name,
            out / "registered.png",
        )
    if truth is not None:
        error = summary["error"]
        log.info("%s: the face lies %.3f ± %.3f mm from the truth", done.name, error["mean"], error["std"])
    log.info("%s", out)
    return summary


def _weights(labels: str | None, folder: Path | None, scan: Scan) -> tuple[NDArray | None, NDArray | None, str]:
    """(V,) weights of the vertices, None for all; how much those say; and in words where both come from."""
    if labels == NO_LABELS:
        return None, None, "the whole scan counts"
    path = None if labels is None else Path(labels)
    if path is None and folder is not None:
        path = known_labels(folder)
    if path is None:
        cure = "give --labels FILE (labels.npz or prediction.npz), or --labels none for the whole scan"
        raise InputError(f"nothing says what of the scan is skin; {cure}")
    found = read_skin(path, scan)
    if isinstance(found, Prediction):
        confidence = None if found.distance_mm is None else confidence_of(found.distance_mm)
        return np.asarray(found.probability, float), confidence, f"skin by the prediction in {path}"
    return found.skin.astype(float), None, f"skin {'as painted' if found.painted else 'by the labels'} in {path}"


def _read_landmarks(path: Path, metres: float) -> dict[str, NDArray]:
    value = read_json(path, "landmarks")
    try:
        found = {str(name): metres * np.asarray(point, float) for name, point in value.items()}
        if not all(point.shape == (3,) and np.isfinite(point).all() for point in found.values()):
            raise ValueError("a point is not three numbers")
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{path}: landmarks are an object, name -> [x, y, z] ({error})") from None
    return found


def _truth(folder: Path | None) -> HeadSurface | None:
    path = None if folder is None else folder / Capture.HEAD
    return HeadSurface.read(path) if path is not None and path.is_file() else None


def coefficients_of(done: Registered) -> dict[str, Any]:
    """The head model and its coefficients, rotation and shift, as JSON."""
    head, model = done.found.head, done.template.model
    return {
        "head_model": {"name": model.name, "version": model.version},
        "metres_per_unit": done.metres,
        "identity": dict(zip(model.identity_names, map(float, head.identity), strict=True)),
        "expression": dict(zip(model.expression_names, map(float, head.expression), strict=True)),
        "neck": head.neck.tolist(),
        "jaw": head.jaw.tolist(),
        "rotation": head.rotation.tolist(),
        "shift_m": head.shift.tolist(),
    }


def _summary(done: Registered, truth: HeadSurface | None) -> dict[str, Any]:
    found, template = done.found, done.template
    summary: dict[str, Any] = {
        "schema_version": 1,
        "id": done.name,
        "labels": done.source,
        **coefficients_of(done),
        "seconds": {step: round(seconds, 2) for step, seconds in found.seconds.items()},
    }
    mesh = found.mesh(template)
    summary["fit"] = face_error(mesh, template.face_mask, done.skin_mesh()).to_json()
    if truth is not None:
        summary["error"] = face_error(mesh, template.face_mask, truth).to_json()
        if truth.face_mask is not None and truth.face_mask.any():
            summary["error_back"] = face_error(truth, truth.face_mask, mesh).to_json()
    return summary


def _write_mesh(out: Path, template: Template, found: Registration, metres: float) -> None:
    """The registered template in the scan's unit, as triangles (PLY) and as the template's own polygons (OBJ)."""
    vertices = (found.vertices / metres).astype(np.float32)
    columns: dict[str, NDArray] = {axis: vertices[:, i] for i, axis in enumerate("xyz")}
    columns["face_mask"] = template.face_mask
    write_ply(out / "registered.ply", PlyMesh(columns, template.faces))
    uvs, number = np.unique(template.corner_uvs.reshape(-1, 2).round(6), axis=0, return_inverse=True)
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices.tolist()]
    lines += [f"vt {u:.6f} {v:.6f}" for u, v in uvs.tolist()]
    for corners, textures in zip(template.polygons.tolist(), number.reshape(-1, 4).tolist(), strict=True):
        words = (f"{corner + 1}/{uv + 1}" for corner, uv in zip(corners, textures, strict=True) if corner >= 0)
        lines.append("f " + " ".join(words))
    write_bytes(out / "registered.obj", ("\n".join(lines) + "\n").encode())


def _picture(done: Registered, truth: HeadSurface | None) -> NDArray[np.uint8]:
    """The scan's head, the registered one, and its distance to the truth or to the scan's skin, from three sides.

    Distances outside of the face mask, which no error counts, are pale.
    """
    scan, skin, found = done.scan, done.skin, done.found
    mesh = found.mesh(done.template)
    other: Mesh = done.skin_mesh() if truth is None else truth
    what = "truth" if truth is not None else "scan" if done.weights is None else "skin of the scan"
    caption = f"distance of the face to the {what}, dark 0 to yellow {_SHOWN_MM:g} mm"
    error = distance_colours(surface_distance_mm(mesh.vertices, other), _SHOWN_MM)
    error = faded(error, done.template.face_mask)
    plain = np.tile(np.array(PLAIN_COLOUR, np.uint8), (len(mesh.vertices), 1))
    looks = [(scan, label_colours(skin), "scan, what counts"), (mesh, plain, "registered"), (mesh, error, caption)]
    turn = found.head.rotation
    rows = []
    for title, forward in _VIEWS:
        row = []
        for shown, colours, words in looks:
            head = done.template.around_face(found.vertices, shown)
            shot = Stage(head.vertices, head.faces).from_direction(turn @ np.array(forward), -turn[:, 2], _SIDE)
            row.append((f"{words}, {title}", shot.paint(colours)))
        rows.append(row)
    return sheet(rows)
