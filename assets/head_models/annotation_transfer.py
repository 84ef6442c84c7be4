"""Carries what the default head model knows (regions, landmarks, curves) over to another head's mesh.

The default model's mean head is laid onto the mesh: by a similarity and a smooth warp that bring the landmarks
together, then by rounds of non-rigid iterative closest points. Each vertex of the mesh then takes over what stands at
the closest point of the laid-on skin.
"""

from __future__ import annotations

import hashlib
import logging
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assets.geometry import surface
from assets.geometry.surface import Floats, Ints
from assets.head_models.head_model import FloatArray, IntArray
from assets.makehuman.head import MakeHumanHead
from assets.makehuman.model import cache_folder, load_default_model
from capture.errors import InputError
from capture.files import atomic_path
from capture.geometry import border_vertices, face_normals, unique_edges, vertex_normals

logger = logging.getLogger(__name__)

ANNOTATION_VERSION = "1"
FEWEST_LANDMARKS = 6
WARP_REACH = 0.12
"""Reach of a landmark's pull in the first warp, metres."""
NORMAL_LENGTH = 0.010
"""Distance that a unit of difference between normals counts for, metres."""
STIFFNESS = (60.0, 30.0, 15.0, 8.0, 4.0, 2.0)
REACH = (0.035, 0.030, 0.022, 0.015, 0.010, 0.008)
"""For each round of closest points: how smooth the moves are, and how far apart partners may lie, metres."""
_HOLLOW = ("eye_sockets", "inner_mouth", "nostrils")
_VAGUE = {"jaw_": 0.05, "right_brow_": 0.1, "left_brow_": 0.1}
"""Landmarks on contours that everybody draws elsewhere, with their weight against 1 for the others."""


@dataclass(frozen=True)
class Annotation:
    """The default model's annotations, carried over to a mesh of V vertices.

    base: (V, 3) the same places on the default model's mean head, in its frame. regions: name -> (V,) float32.
    landmarks: name -> vertex. chains: name -> (N,) int32 vertices in order. eye_centres: (2, 3) left and right in the
    mesh's frame, None where the landmarks lack the corners of an eye.
    """

    base: NDArray[np.float64]
    regions: Mapping[str, NDArray[np.float32]]
    landmarks: Mapping[str, int]
    chains: Mapping[str, IntArray]
    eye_centres: NDArray[np.float64] | None


def annotate(
    vertices: FloatArray, triangles: NDArray[np.integer], landmarks: Mapping[str, FloatArray], cache: Path | None = None
) -> Annotation:
    """The annotation of a head's mesh.

    vertices: (V, 3) metres, Z up, face towards -Y. triangles: (F, 3), counter-clockwise seen from outside.
    landmarks: name as in `assets.head_models.head_model.IBUG_68` and below it -> (3,) position; at least six, spread
    over the face. cache: the folder for results, by default `cache_folder()`. Takes some ten seconds at first, then
    comes from the cache. Raises `InputError` for landmarks that are too few or on a line.
    """
    model = load_default_model()
    vertices = np.asarray(vertices, dtype=np.float64)
    given = {name: np.asarray(place, np.float64) for name, place in landmarks.items() if name in model.landmarks}
    faces: Ints = np.asarray(triangles, np.int64)
    _check(vertices, faces, given)
    key = _key(vertices, faces, given, model.version)
    path = (cache_folder() if cache is None else cache) / f"annotation-{key}.npz"
    if path.is_file():
        try:
            return _read(path)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
            logger.warning("the cached annotation %s is damaged; computing it again", path)
    annotation = _annotate(model, vertices, faces, given)
    try:
        _write(path, annotation)
    except InputError as error:  # a render node may have a read-only home
        logger.warning("the annotation is not kept and will be computed again next time (%s); set P2P_CACHE", error)
    return annotation


def _check(vertices: Floats, triangles: Ints, given: Mapping[str, Floats]) -> None:
    if vertices.ndim != 2 or vertices.shape[1] != 3 or not np.isfinite(vertices).all():
        raise InputError(f"the head's vertices must be finite numbers of shape (V, 3), not {vertices.shape}")
    if triangles.ndim != 2 or triangles.shape[1] != 3 or not len(triangles):
        raise InputError(f"the head's triangles must have shape (F, 3), not {triangles.shape}")
    if triangles.min() < 0 or triangles.max() >= len(vertices):
        raise InputError(f"the head's triangles name vertices outside of 0 to {len(vertices) - 1}")
    places = np.array(list(given.values())).reshape(-1, 3)
    spread = np.linalg.svd(places - places.mean(axis=0), compute_uv=False) if len(given) >= 3 else np.zeros(3)
    if len(given) < FEWEST_LANDMARKS or not spread[1] > 0.01:
        raise InputError(
            f"the head has {len(given)} landmarks with names that are known ({', '.join(sorted(given)) or 'none'}): "
            f"give at least {FEWEST_LANDMARKS} all over the face, in metres"
        )


def _annotate(model: MakeHumanHead, vertices: Floats, triangles: Ints, given: dict[str, Floats]) -> Annotation:
    mean = np.asarray(model.vertices(model.mean_identity, model.neutral_expression()), np.float64)
    given = _by_every_name(model, given)
    skin_faces = model.faces[model.face_parts == model.part_names.index("skin")]
    used, faces = np.unique(skin_faces, return_inverse=True)
    faces = faces.reshape(-1, 3)
    names = sorted(given)
    anchors = np.searchsorted(used, [model.landmarks[name] for name in names])
    places = np.stack([given[name] for name in names])
    weights = np.array([_weight(name) for name in names])
    eyes = np.stack([_eye_centre(model, mean, side) for side in ("left", "right")])
    start = _warp(mean[used], mean[used][anchors], places, weights)
    eye_centres = _warp(eyes, mean[used][anchors], places, weights) if _has_eyes(given) else None

    live = np.unique(triangles)
    target = _Target(vertices, triangles, live)
    hollow = np.max([model.regions[name][used] for name in _HOLLOW], axis=0) > 0.5
    laid = _lay_on(start, faces, hollow, target, anchors, places, weights)
    nearest_face, corner_weights = _closest(vertices, target.normals, laid, faces)
    corners = faces[nearest_face]
    base = np.einsum("vc,vcx->vx", corner_weights, mean[used][corners])
    regions = {
        name: np.einsum("vc,vc->v", corner_weights, mask[used][corners]).astype(np.float32)
        for name, mask in model.regions.items()
    }
    # points of the default model -> vertices of the mesh
    vertex = live[surface.nearest(_features(laid, vertex_normals(laid, faces)), target.features)[:, 0]]
    where = dict(zip(used.tolist(), vertex.tolist(), strict=True))
    exact = dict(zip(names, live[surface.nearest(places, vertices[live])[:, 0]].tolist(), strict=True))
    landmarks = {name: exact.get(name, where.get(number)) for name, number in model.landmarks.items()}
    chains = {name: _without_repeats([where[v] for v in chain.tolist()]) for name, chain in model.chains.items()}
    return Annotation(base, regions, {k: v for k, v in landmarks.items() if v is not None}, chains, eye_centres)


def _by_every_name(model: MakeHumanHead, given: Mapping[str, Floats]) -> dict[str, Floats]:
    """With the other names of the same vertices: an eye's corner has one in the iBUG scheme and one of its own."""
    by_vertex = {model.landmarks[name]: place for name, place in given.items()}
    return {name: given.get(name, by_vertex[v]) for name, v in model.landmarks.items() if v in by_vertex}


def _weight(name: str) -> float:
    return next((weight for start, weight in _VAGUE.items() if name.startswith(start)), 1.0)


def _has_eyes(given: Mapping[str, Floats]) -> bool:
    return all(f"{side}_eye_{corner}" in given for side in ("left", "right") for corner in ("inner", "outer"))


def _eye_centre(model: MakeHumanHead, mean: Floats, side: str) -> Floats:
    part = model.faces[model.face_parts == model.part_names.index(f"eye_{side}")]
    points = mean[np.unique(part)]
    return surface.sphere_centre(points[points[:, 1] > np.quantile(points[:, 1], 0.4)])


def _warp(points: Floats, anchors: Floats, places: Floats, weights: Floats) -> Floats:
    """(N, 3) points moved so that the anchors (L, 3) come near their places (L, 3): a similarity, and for what is left
    radial functions (1 - r)^4 (4 r + 1) of Wendland, which end at WARP_REACH, so that far parts stay in proportion."""
    scale, rotation, shift = surface.similarity(anchors, places, weights)
    moved, pins = scale * points @ rotation.T + shift, scale * anchors @ rotation.T + shift

    def kernel(a: Floats, b: Floats) -> Floats:
        r = np.minimum(np.linalg.norm(a[:, None] - b, axis=2) / WARP_REACH, 1.0)
        return np.asarray((1.0 - r) ** 4 * (4.0 * r + 1.0))

    pull = np.linalg.solve(kernel(pins, pins) + np.diag(0.02 / weights), places - pins)
    return np.asarray(moved + kernel(moved, pins) @ pull)


class _Target:
    """The mesh to lay on: normals (V, 3); of its live vertices, those in triangles: features (N, 6), points, edge."""

    def __init__(self, vertices: Floats, triangles: Ints, live: Ints) -> None:
        self.normals = vertex_normals(vertices, triangles)
        self.points, self.directions = vertices[live], self.normals[live]
        self.features = _features(self.points, self.directions)
        self.border = border_vertices(triangles, len(vertices))[live]


def _features(points: Floats, normals: Floats) -> Floats:
    """(N, 6): the squared distance of two is that of the points plus that of the normals in NORMAL_LENGTH."""
    return np.concatenate([points, NORMAL_LENGTH * normals], axis=1)


def _lay_on(
    start: Floats,
    faces: Ints,
    hollow: NDArray[np.bool_],
    target: _Target,
    anchors: Ints,
    places: Floats,
    weights: Floats,
) -> Floats:
    """(S, 3) the warped skin drawn onto the target, what is hollow following what is around it."""
    points, edges = start, unique_edges(faces)
    for stiffness, reach in zip(STIFFNESS, REACH, strict=True):
        normals = vertex_normals(points, faces)
        features = _features(points, normals)
        total, weight = np.zeros_like(points), np.zeros(len(points))
        there = surface.nearest(features, target.features)[:, 0]
        back = surface.nearest(target.features, features)[:, 0]
        every = np.arange(len(points)), np.arange(len(target.points))
        for source, partner in ((every[0], there), (back, every[1])):
            gap = target.points[partner] - points[source]
            across = (gap * target.directions[partner]).sum(axis=1, keepdims=True) * target.directions[partner]
            fits = (normals[source] * target.directions[partner]).sum(axis=1) > 0.5
            fits &= (np.linalg.norm(gap, axis=1) < reach) & ~hollow[source] & ~target.border[partner]
            share = fits / np.maximum(np.bincount(source[fits], minlength=len(points)), 1)[source]
            move = across + 0.5 * (gap - across)
            weight += np.bincount(source, share, len(points))
            for axis in range(3):
                total[:, axis] += np.bincount(source, share * move[:, axis], len(points))
        pin = 10.0 * weights
        np.add.at(weight, anchors, pin)
        np.add.at(total, anchors, pin[:, None] * (places - points[anchors]))
        mean_move = np.divide(total, weight[:, None], out=np.zeros_like(total), where=weight[:, None] > 0)
        points = points + surface.smooth(mean_move, weight, edges, stiffness)
    return points


def _closest(vertices: Floats, normals: Floats, laid: Floats, faces: Ints) -> tuple[Ints, Floats]:
    """For each vertex the face (V,) of the laid-on skin with the closest point that faces the same way, and the
    point's barycentric weights (V, 3)."""
    directions = face_normals(laid, faces)
    around = surface.faces_around(faces, len(laid))
    near = surface.nearest(_features(vertices, normals), _features(laid, vertex_normals(laid, faces)), 4)
    face, weights = np.zeros(len(vertices), dtype=np.int64), np.zeros((len(vertices), 3))
    for start in range(0, len(vertices), 2048):
        rows = slice(start, start + 2048)
        candidates = around[near[rows]].reshape(len(near[rows]), -1)
        points = np.broadcast_to(vertices[rows][:, None], (*candidates.shape, 3))
        triangles = laid[faces[candidates]]
        bary = surface.closest_weights(points, triangles)
        gap = (((bary[..., None] * triangles).sum(axis=2) - points) ** 2).sum(axis=2)
        turn = ((directions[candidates] - normals[rows][:, None]) ** 2).sum(axis=2)
        best = (gap + (0.5 * NORMAL_LENGTH) ** 2 * turn).argmin(axis=1)
        row = np.arange(len(best))
        face[rows], weights[rows] = candidates[row, best], bary[row, best]
    return face, weights


def _without_repeats(line: list[int]) -> IntArray:
    return np.array([v for v, before in zip(line, [-1, *line], strict=False) if v != before], dtype=np.int32)


def _key(vertices: Floats, triangles: Ints, given: Mapping[str, Floats], model_version: str) -> str:
    content = hashlib.sha256(f"{ANNOTATION_VERSION} {model_version} {vertices.shape}".encode())
    content.update(np.ascontiguousarray(vertices).tobytes() + np.ascontiguousarray(triangles).tobytes())
    for name in sorted(given):
        content.update(name.encode() + given[name].tobytes())
    return content.hexdigest()[:24]


def _write(path: Path, annotation: Annotation) -> None:
    arrays: dict[str, NDArray] = {"base": annotation.base}
    arrays |= {f"region/{name}": mask for name, mask in annotation.regions.items()}
    arrays |= {f"landmark/{name}": np.array(vertex, np.int32) for name, vertex in annotation.landmarks.items()}
    arrays |= {f"chain/{name}": line for name, line in annotation.chains.items()}
    if annotation.eye_centres is not None:
        arrays["eye_centres"] = annotation.eye_centres
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def _read(path: Path) -> Annotation:
    with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:  # numpy leaves a damaged file open
        arrays = {name: file[name] for name in file.files}

    def named(start: str) -> dict[str, NDArray]:
        return {name[len(start) :]: array for name, array in arrays.items() if name.startswith(start)}

    landmarks = {name: int(vertex) for name, vertex in named("landmark/").items()}
    return Annotation(arrays["base"], named("region/"), landmarks, named("chain/"), arrays.get("eye_centres"))
