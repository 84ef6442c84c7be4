"""Reads the ICT Face Model Light (ICT-FaceKit) in its official folder layout.

The folder holds `FaceXModel/` with `generic_neutral_mesh.obj`, `identityNNN.obj`, one .obj for every facial action
(`browDown_L.obj`, ...) and `vertex_indices.json`; see https://github.com/ICT-VGL/ICT-FaceKit. Any subset with the
neutral mesh and the indices will do. Theirs: centimetres, Y up, face towards +Z.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assets.geometry.surface import sphere_centre
from assets.head_models.head_model import IBUG_68, FloatArray, IntArray
from capture.errors import InputError
from capture.files import read_json

NEUTRAL = "generic_neutral_mesh.obj"
INDICES = "vertex_indices.json"
CURE = "give the ICT-FaceKit folder as it is published, with FaceXModel inside"
OUTER_SKIN = 11248
"""So many vertices, the first ones, are the head's outside; the skin's others line sockets, mouth and nose."""
METRES = 0.01

# Material -> part. The eyes' inner balls lie behind a clear shell; what isn't named here covers the lids' borders.
_PARTS = {
    "M_Face": "skin",
    "M_BackHead": "skin",
    "M_GumsTongue": "tongue",
    "M_Teeth": "teeth",
    "M_ScleraLeft": "eye_left",
    "M_ScleraRight": "eye_right",
    "M_IrisLeft": "iris_left",
    "M_IrisRight": "iris_right",
}
_PART_NAMES = ("skin", "eye_left", "eye_right", "iris_left", "iris_right", "teeth_upper", "teeth_lower", "tongue")

# Our name -> the landmark of the iBUG scheme at the same place.
_SAME_PLACE = {
    "nasion": "nose_bridge_0",
    "nose_tip": "nose_bridge_3",
    "right_eye_outer": "right_eye_0",
    "right_eye_inner": "right_eye_3",
    "left_eye_inner": "left_eye_0",
    "left_eye_outer": "left_eye_3",
    "right_mouth_corner": "mouth_outer_0",
    "left_mouth_corner": "mouth_outer_6",
    "upper_lip": "mouth_outer_3",
    "lower_lip": "mouth_outer_9",
    "chin": "jaw_8",
}


@dataclass(frozen=True)
class IctFaceKit:
    """The model's arrays in our frame: metres, Z up, face towards -Y, origin between the centres of the eyeballs.

    template: (V, 3) float64 the neutral mean head, without the vertices that no kept polygon uses.
    polygons, polygon_uvs: (Q, 4) int32, -1 as the last corner of a triangle; uvs (T, 2) float32.
    polygon_parts: (Q,) int32 into part_names; `iris_*` are the inner balls of the eyes, behind the shells `eye_*`.
    identity: (I, V, 3) float32 offsets of one standard deviation; expression: (E, V, 3) float32 offsets of full
    actions, named as ARKit does (`eyeBlinkLeft`).
    landmarks: name -> vertex; eye_centres (2, 3): left, right. outer_skin: (V,) bool, the outside of the head.
    """

    template: NDArray[np.float64]
    polygons: IntArray
    uvs: NDArray[np.float32]
    polygon_uvs: IntArray
    polygon_parts: IntArray
    part_names: tuple[str, ...]
    identity: NDArray[np.float32]
    identity_names: tuple[str, ...]
    expression: NDArray[np.float32]
    expression_names: tuple[str, ...]
    landmarks: Mapping[str, int]
    eye_centres: NDArray[np.float64]
    outer_skin: NDArray[np.bool_]


@dataclass(frozen=True)
class _Mesh:
    """vertices (V, 3) and uvs (T, 2) as in the file; corners (Q, 4, 2) int32 of vertex and texture point, -1 where
    there is none; materials: a name for every polygon."""

    vertices: NDArray[np.float64]
    uvs: NDArray[np.float64]
    corners: IntArray
    materials: tuple[str, ...]


def read_ict(folder: Path) -> IctFaceKit:
    """The model in `folder`, which holds FaceXModel or is it. Identities and actions are those whose files exist.

    Raises `InputError` for a folder without the neutral mesh or the indices, a file that is no .obj, and shapes whose
    vertices don't match the neutral's.
    """
    folder = Path(folder)
    model = folder / "FaceXModel" if (folder / "FaceXModel").is_dir() else folder
    neutral = model / NEUTRAL
    if not neutral.is_file():
        raise InputError(f"no ICT head model in {folder}: {neutral} is missing; {CURE}")
    mesh = _read_mesh(neutral)
    parts = _polygon_parts(mesh)
    kept = parts >= 0
    corners, parts = mesh.corners[kept], parts[kept]
    used = np.unique(corners[..., 0][corners[..., 0] >= 0])
    renumber = np.full(len(mesh.vertices) + 1, -1, dtype=np.int32)
    renumber[used] = np.arange(len(used), dtype=np.int32)
    polygons = renumber[corners[..., 0]]  # the last entry turns -1 into -1
    template = _ours(mesh.vertices[used])
    eyes = np.stack([_eye_centre(template[np.unique(polygons[parts == part])]) for part in (1, 2)])
    identity = sorted(path for path in model.glob("identity*.obj") if re.fullmatch(r"identity\d+", path.stem))
    actions = sorted(path for path in model.glob("*.obj") if path != neutral and path not in identity)
    return IctFaceKit(
        template=template - eyes.mean(axis=0),
        polygons=polygons,
        uvs=mesh.uvs.astype(np.float32),
        polygon_uvs=np.ascontiguousarray(corners[..., 1]),
        polygon_parts=parts,
        part_names=_PART_NAMES,
        identity=_offsets(identity, mesh.vertices, used),
        identity_names=tuple(path.stem for path in identity),
        expression=_offsets(actions, mesh.vertices, used),
        expression_names=tuple(_action_name(path.stem) for path in actions),
        landmarks=_landmarks(model / INDICES, renumber),
        eye_centres=eyes - eyes.mean(axis=0),
        outer_skin=used < OUTER_SKIN,
    )


def _ours(vectors: FloatArray) -> NDArray[np.float64]:
    """Their axes and centimetres as ours."""
    return np.stack([vectors[:, 0], -vectors[:, 2], vectors[:, 1]], axis=1) * METRES


def _action_name(stem: str) -> str:
    return re.sub("_R$", "Right", re.sub("_L$", "Left", stem))


def _polygon_parts(mesh: _Mesh) -> IntArray:
    """(Q,) int32 into _PART_NAMES, -1 for what is left out. A tooth is an upper one where its middle lies above the
    height at which the rows of teeth meet."""
    names = [_PARTS.get(material, "") for material in mesh.materials]
    parts = np.array([_PART_NAMES.index(name) if name in _PART_NAMES else -1 for name in names], dtype=np.int32)
    teeth = np.array(names) == "teeth"
    corners = mesh.corners[teeth][..., 0]
    first = np.where(corners < 0, corners[:, :1], corners)
    piece = _connected(first, len(mesh.vertices))[first[:, 0]]
    height = mesh.vertices[first, 1].mean(axis=1)
    middles = {int(number): float(height[piece == number].mean()) for number in np.unique(piece)}
    if middles:
        meet = 0.5 * (min(middles.values()) + max(middles.values()))
        upper = np.array([middles[int(number)] > meet for number in piece])
        parts[teeth] = np.where(upper, _PART_NAMES.index("teeth_upper"), _PART_NAMES.index("teeth_lower"))
    return parts


def _connected(polygons: IntArray, count: int) -> IntArray:
    """(count,) the smallest vertex number that each vertex is connected with."""
    label = np.arange(count, dtype=np.int32)
    while True:
        before = label.copy()
        lowest = label[polygons].min(axis=1)
        for corner in range(polygons.shape[1]):
            np.minimum.at(label, polygons[:, corner], lowest)
        label = label[label]
        if np.array_equal(label, before):
            return label


def _eye_centre(points: FloatArray) -> NDArray[np.float64]:
    """Centre of an eye's shell (N, 3) without its bulge in front."""
    return sphere_centre(points[points[:, 1] > np.quantile(points[:, 1], 0.4)])


def _offsets(paths: list[Path], neutral: FloatArray, used: NDArray[np.int64]) -> NDArray[np.float32]:
    """(len(paths), len(used), 3) what each file adds to the neutral."""
    offsets = np.zeros((len(paths), len(used), 3), dtype=np.float32)
    for row, path in zip(offsets, paths, strict=True):
        vertices = _numbers(path, _lines(path)[b"v"], 3)
        if len(vertices) != len(neutral):
            raise InputError(
                f"{path} has {len(vertices)} vertices, but {NEUTRAL} has {len(neutral)}: take both from one release"
            )
        row[:] = _ours((vertices - neutral)[used])
    return offsets


def _landmarks(path: Path, renumber: IntArray) -> dict[str, int]:
    indices = read_json(path, "the ICT head model's vertex indices")
    given = indices.get("idx_to_landmark_verts") if isinstance(indices, dict) else None
    if not isinstance(given, list) or len(given) != len(IBUG_68) or not all(isinstance(v, int) for v in given):
        raise InputError(f"{path}: idx_to_landmark_verts must be a list of {len(IBUG_68)} vertex numbers; {CURE}")
    if min(given) < 0 or max(given) >= len(renumber) - 1 or min(renumber[given]) < 0:
        raise InputError(f"{path}: idx_to_landmark_verts names vertices that {NEUTRAL} does not use; {CURE}")
    vertices = {name: int(renumber[vertex]) for name, vertex in zip(IBUG_68, given, strict=True)}
    return vertices | {name: vertices[same] for name, same in _SAME_PLACE.items()}


def _lines(path: Path) -> dict[bytes, list[bytes]]:
    """The lines of an .obj by their first word, without it; polygons as `f` with the material's name under `usemtl`
    repeated for each."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise InputError(f"can't read {path}: {error.strerror}; {CURE}") from error
    lines: dict[bytes, list[bytes]] = {b"v": [], b"vt": [], b"f": [], b"usemtl": []}
    material = b""
    for line in text.splitlines():
        word, _, rest = line.partition(b" ")
        if word == b"usemtl":
            material = rest.strip()
        elif word in lines:
            lines[word].append(rest)
            if word == b"f":
                lines[b"usemtl"].append(material)
    if not lines[b"v"]:
        raise InputError(f"{path} is no .obj mesh: it has no vertices; {CURE}")
    return lines


def _numbers(path: Path, lines: list[bytes], columns: int) -> NDArray[np.float64]:
    """(len(lines), columns) the first numbers of each line."""
    try:
        table = np.array(b" ".join(lines).split(), dtype=np.float64).reshape(len(lines), -1)[:, :columns]
    except ValueError:
        raise InputError(f"{path} is damaged: a line of numbers can't be read; {CURE}") from None
    if table.shape[1] != columns or not np.isfinite(table).all():
        raise InputError(f"{path} is damaged: {columns} finite numbers in a line are wanted; {CURE}")
    return table


def _read_mesh(path: Path) -> _Mesh:
    lines = _lines(path)
    vertices, uvs = _numbers(path, lines[b"v"], 3), _numbers(path, lines[b"vt"], 2)
    corners = np.full((len(lines[b"f"]), 4, 2), -1, dtype=np.int32)
    try:
        for row, line in enumerate(lines[b"f"]):
            indices = list(_corners(line))
            corners[row, : len(indices)] = indices
    except ValueError:
        raise InputError(f"{path} is damaged: polygons of 3 or 4 corners v/vt are wanted; {CURE}") from None
    if len(corners) == 0 or corners[:, :3].min() < 0 or (corners.max(axis=(0, 1)) >= (len(vertices), len(uvs))).any():
        raise InputError(f"{path} is damaged: its polygons name points that it does not have; {CURE}")
    return _Mesh(vertices, uvs, corners, tuple(name.decode("ascii", "replace") for name in lines[b"usemtl"]))


def _corners(line: bytes) -> Iterator[tuple[int, int]]:
    """Vertex and texture point of each corner, counted from 0."""
    for corner in line.split():
        vertex, uv, *_ = corner.split(b"/")
        yield int(vertex) - 1, int(uv) - 1
