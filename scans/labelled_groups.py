"""A labelled scan in groups, of vertices and of faces, and as an OBJ file of them."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import write_bytes
from scans.labelled import Labelled
from scans.pictures import colours
from scans.predictions import PARTS, Prediction

log = logging.getLogger(__name__)

SKIN, OTHER = "skin", "other"
GROUPS = (SKIN, OTHER, *(part for part in PARTS if part not in ("background", "skin")))
OBJ, MATERIALS = "segmented.obj", "segmented.mtl"


def vertex_groups(prediction: Prediction) -> NDArray[np.uint8]:
    """(V,) index into `GROUPS`: skin by the labels, the others by their part; `OTHER` where that is not known."""
    group = np.full(len(prediction.skin), GROUPS.index(OTHER), np.uint8)
    if prediction.part is not None:
        for number, name in enumerate(GROUPS[2:], 2):
            group[prediction.part == PARTS.index(name)] = number
    group[prediction.skin] = GROUPS.index(SKIN)
    return group


def face_groups(group: NDArray[np.uint8], faces: NDArray[np.int32]) -> NDArray[np.uint8]:
    """(F,) index into `GROUPS`: skin where all corners are, as in `skin.ply`; else what most of the others are."""
    first, second, third = np.sort(group[faces], axis=1).T  # skin comes first
    return np.where((first == second) & (first > 0), first, third) if len(faces) else np.zeros(0, np.uint8)


def write_obj(labelled: Labelled) -> Path:
    """Write `segmented.obj`: polygon groups, materials and colours of the vertices tell what is skin; returns its path.

    Vertices and faces are the scan's, in its frame and unit; vertices in the same order, faces sorted by group. The
    colour of a vertex is grey, its probability of being skin. A group is a group and a material, of the same name.
    """
    scan, prediction = labelled.scan, labelled.prediction
    group = vertex_groups(prediction)
    face_group = face_groups(group, scan.faces)
    digits = 9 if scan.vertices.dtype == np.float32 else 17
    table = np.column_stack([scan.vertices.astype(np.float64), prediction.probability])
    lines = [f"mtllib {MATERIALS}", "o scan"]
    lines += [
        f"v {x:.{digits}g} {y:.{digits}g} {z:.{digits}g} {p:.4g} {p:.4g} {p:.4g}" for x, y, z, p in table.tolist()
    ]
    present = [number for number in range(len(GROUPS)) if (face_group == number).any()]
    for number in present:
        lines += [f"g {GROUPS[number]}", f"usemtl {GROUPS[number]}"]
        lines += [f"f {a} {b} {c}" for a, b, c in (scan.faces[face_group == number] + 1).tolist()]
    materials = [f"newmtl {GROUPS[number]}\nKd {_colour(GROUPS[number])}\n" for number in present]
    write_bytes(labelled.folder / MATERIALS, "\n".join(materials).encode())
    write_bytes(labelled.folder / OBJ, ("\n".join(lines) + "\n").encode())
    log.info("%s: groups %s", labelled.folder / OBJ, ", ".join(GROUPS[number] for number in present))
    return labelled.folder / OBJ


def _colour(name: str) -> str:
    """Red, green and blue of a group's material, 0 to 1."""
    rgb = colours.OTHER if name == OTHER else colours.part_colours(np.array([PARTS.index(name)]))[0]
    return " ".join(f"{value:.3f}" for value in rgb / 255)
