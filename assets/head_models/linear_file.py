"""Linear head models in NPZ files: our own documented layout, and that of GNM Head.

See docs/head_models.md for the layout.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assets.head_models.head_model import FloatArray, IntArray
from assets.head_models.linear_model import LinearData
from capture.arrays import read_npz
from capture.errors import InputError

AXES = {"+X": (0, 1.0), "-X": (0, -1.0), "+Y": (1, 1.0), "-Y": (1, -1.0), "+Z": (2, 1.0), "-Z": (2, -1.0)}
GNM_NEEDS = ("template_vertex_positions", "vertex_identity_basis", "expression_basis", "triangles", "triangle_uvs",
             "template_joint_positions", "vertex_groups", "vertex_group_names")  # fmt: skip
OURS_NEED = ("vertices", "identity_basis", "expression_basis", "up", "forward", "metres_per_unit")

# Words in the names of vertex groups -> our parts; the first that fits. What fits none is skin.
_EYE = ("eyeball", "eye_ball", "sclera", "iris", "cornea", "pupil")
_WORDS = {"teeth": "teeth", "tooth": "teeth", "gum": "tongue", "tongue": "tongue"}


def read_linear(path: Path) -> LinearData:
    """The model in an NPZ file of either layout; raises `InputError` that names what is missing or doesn't fit."""
    try:
        arrays = read_npz(path)
    except FileNotFoundError:
        raise InputError(f"no such head model: {path}") from None
    except ValueError as error:
        raise InputError(f"damaged head model: {path} ({error}); get the file again") from None
    version = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    try:
        if "template_vertex_positions" in arrays:
            return _gnm(arrays, version, path)
        return _ours(arrays, version, path)
    except InputError as error:
        raise InputError(str(error) if str(path) in str(error) else f"{path}: {error}") from None
    except (IndexError, TypeError, ValueError) as error:
        raise InputError(f"{path}: arrays don't fit together ({error}); see docs/head_models.md") from None


def _need(arrays: Mapping[str, NDArray], names: tuple[str, ...], path: Path) -> None:
    missing = [name for name in names if name not in arrays]
    if missing:
        raise InputError(f"{path}: a head model without {', '.join(missing)}; see docs/head_models.md")


def _gnm(arrays: Mapping[str, NDArray], version: str, path: Path) -> LinearData:
    """GNM Head: metres, Y up, the face towards +Z; coefficients of unit variance."""
    _need(arrays, GNM_NEEDS, path)
    turn = frame("+Y", "+Z", path)
    template = arrays["template_vertex_positions"].astype(float) @ turn.T
    triangles, uvs = arrays["triangles"].astype(np.int64), arrays["triangle_uvs"].astype(float)
    polygons, corners = _merged(triangles, uvs, arrays.get("quads"))
    polygon_uvs, points = _indexed(corners, polygons)
    groups = _groups(arrays, len(template))
    joints = arrays["template_joint_positions"].astype(float) @ turn.T
    eyes, centres = _eyes(groups, template, _eye_joints(joints))
    parts, names = _parts(groups, polygons, template)
    identity, expression = arrays["vertex_identity_basis"] @ turn.T, arrays["expression_basis"] @ turn.T
    return LinearData(
        "gnm", version, template, polygons, points, polygon_uvs, parts, names,
        identity, _numbered("identity", identity), np.ones(len(identity)),
        expression, _numbered("expression", expression), eyes, centres,
    )  # fmt: skip


def _ours(arrays: Mapping[str, NDArray], version: str, path: Path) -> LinearData:
    _need(arrays, OURS_NEED, path)
    turn = frame(str(arrays["up"]), str(arrays["forward"]), path) * float(arrays["metres_per_unit"])
    template = arrays["vertices"].astype(float) @ turn.T
    rows, corners = [], []
    for name, sides in (("quads", 4), ("triangles", 3)):
        if name in arrays:
            given = arrays[name].astype(np.int64).reshape(-1, sides)
            rows.append(np.pad(given, ((0, 0), (0, 4 - sides)), constant_values=-1))
            flat = np.zeros((len(given), sides), np.int64)
            texture = arrays.get(f"{name[:-1]}_uvs", flat).astype(np.int64).reshape(-1, sides)
            corners.append(np.pad(texture, ((0, 0), (0, 4 - sides)), constant_values=-1))
    if not rows:
        raise InputError(f"{path}: a head model without faces; give quads, triangles or both")
    polygons, polygon_uvs = np.concatenate(rows), np.concatenate(corners)
    points = arrays["uvs"].astype(float) if "uvs" in arrays else np.zeros((1, 2))
    groups = _groups(arrays, len(template))
    given_eyes = arrays["eye_centres"].astype(float) @ turn.T if "eye_centres" in arrays else None
    eyes, centres = _eyes(groups, template, given_eyes)
    parts, names = _parts(groups, polygons, template)
    identity, expression = arrays["identity_basis"] @ turn.T, arrays["expression_basis"] @ turn.T
    landmarks = {}
    if "landmark_names" in arrays:
        places = template[arrays["landmark_vertices"].astype(int)]
        landmarks = dict(zip(map(str, arrays["landmark_names"]), places, strict=True))
    return LinearData(
        str(arrays.get("name", path.stem)), version, template, polygons, points, polygon_uvs, parts, names,
        identity, _named(arrays, "identity", identity), arrays.get("identity_deviation", np.ones(len(identity))),
        expression, _named(arrays, "expression", expression), eyes, centres, landmarks,
    )  # fmt: skip


def frame(up: str, forward: str, path: Path) -> FloatArray:
    """(3, 3) rotation from a frame with these axes up and out of the face into ours (Z up, the face towards -Y)."""
    if up not in AXES or forward not in AXES or AXES[up][0] == AXES[forward][0]:
        raise InputError(f"{path}: up {up!r}, forward {forward!r}: give two different axes such as +Y and +Z")
    rows = np.zeros((3, 3))
    for row, (axis, sign) in ((2, AXES[up]), (1, AXES[forward])):
        rows[row, axis] = sign if row == 2 else -sign
    rows[0] = np.cross(rows[1], rows[2])
    return rows


def _merged(triangles: NDArray, uvs: NDArray, quads: NDArray | None) -> tuple[IntArray, FloatArray]:
    """Faces (Q, 4) and their corners' texture points (Q, 4, 2): quads whose two triangles are there, else triangles.

    GNM lists its faces both ways; only the triangles carry texture coordinates.
    """
    padded = np.pad(triangles, ((0, 0), (0, 1)), constant_values=-1).astype(np.int32)
    corners = np.pad(uvs, ((0, 0), (0, 1), (0, 0)))
    if quads is None or not len(quads):
        return padded, corners
    place = {tuple(sorted(row)): i for i, row in enumerate(triangles.tolist())}
    taken = np.zeros(len(triangles), bool)
    faces, points = [], []
    for quad in quads.astype(np.int64).tolist():
        for first, second in (((0, 1, 2), (0, 2, 3)), ((0, 1, 3), (1, 2, 3))):
            pair = [place.get(tuple(sorted(quad[k] for k in half))) for half in (first, second)]
            if None not in pair:
                known = {v: uvs[t, c] for t in pair for c, v in enumerate(triangles[t])}
                faces.append(quad)
                points.append([known[v] for v in quad])
                taken[pair] = True
                break
    rest = ~taken
    if not faces:
        return padded, corners
    merged = np.concatenate([np.array(faces, np.int32), padded[rest]])
    return merged, np.concatenate([np.array(points), corners[rest]])


def _indexed(corners: FloatArray, polygons: IntArray) -> tuple[IntArray, FloatArray]:
    """Texture points (T, 2) and which of them each corner has (Q, 4)."""
    there = polygons >= 0
    points, index = np.unique(corners[there], axis=0, return_inverse=True)
    numbers = np.full(polygons.shape, -1, np.int32)
    numbers[there] = index.ravel()
    return numbers, points


def _groups(arrays: Mapping[str, NDArray], count: int) -> dict[str, NDArray[np.bool_]]:
    if "vertex_groups" not in arrays:
        return {}
    members = np.asarray(arrays["vertex_groups"], float).reshape(-1, count) > 0.5
    return {str(name).lower(): rows for name, rows in zip(arrays["vertex_group_names"], members, strict=True)}


def _eye_joints(joints: FloatArray) -> FloatArray | None:
    """(2, 3) left and right: the two joints that are mirror images of each other; None where there are none."""
    sideways = np.flatnonzero(np.abs(joints[:, 0]) > 0.015)
    if len(sideways) != 2:
        return None
    pair = joints[sideways]
    return np.asarray(pair[np.argsort(-pair[:, 0])])


def _eyes(
    groups: Mapping[str, NDArray[np.bool_]], template: FloatArray, centres: FloatArray | None
) -> tuple[tuple[IntArray, IntArray], FloatArray]:
    """Vertices of both eyeballs, and their centres; left first."""
    member = np.zeros(len(template), bool)
    for name, rows in groups.items():
        member |= rows & any(word in name for word in _EYE)
    left = np.flatnonzero(member & (template[:, 0] > 0)).astype(np.int32)
    right = np.flatnonzero(member & (template[:, 0] < 0)).astype(np.int32)
    if centres is None:
        if not (len(left) and len(right)):
            raise InputError("head model: it has neither eyeballs (vertex groups named eyeball...) nor eye_centres")
        box = [(template[side].min(axis=0) + template[side].max(axis=0)) / 2 for side in (left, right)]
        centres = np.stack(box)
    return (left, right), np.asarray(centres, float)


def _parts(
    groups: Mapping[str, NDArray[np.bool_]], polygons: IntArray, template: FloatArray
) -> tuple[IntArray, tuple[str, ...]]:
    """Per face an index into our parts; a face belongs to a group where its first corner does."""
    names = ("skin", "eye_left", "eye_right", "teeth", "tongue")
    of_vertex = np.zeros(len(template), np.int32)
    for name, rows in groups.items():
        for word, part in _WORDS.items():
            if word in name:
                of_vertex[rows] = names.index(part)
        if any(word in name for word in _EYE):
            of_vertex[rows & (template[:, 0] > 0)] = names.index("eye_left")
            of_vertex[rows & (template[:, 0] < 0)] = names.index("eye_right")
    return of_vertex[polygons[:, 0]], names


def _numbered(word: str, basis: NDArray) -> tuple[str, ...]:
    return tuple(f"{word}_{i:03d}" for i in range(len(basis)))


def _named(arrays: Mapping[str, NDArray], word: str, basis: NDArray) -> tuple[str, ...]:
    key = f"{word}_names"
    return tuple(map(str, arrays[key])) if key in arrays else _numbered(word, basis)
