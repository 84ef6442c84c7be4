"""The surface of one head: the head model evaluated, subdivided, and split into what is rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets.geometry.subdivision import catmull_clark, split_corners
from assets.head_models.head_model import HeadModel, split_quads, triangulate
from capture import HeadSurface, InputError
from capture.geometry import Floats, vertex_normals
from generator.components.shape import ShapeSpec

DENSE = 60_000  # corners of the skin's faces, from which on one level of subdivision is enough
LEVELS = {"skin": 2, "teeth": 1, "tongue": 2}  # eyes come dense enough

# First word of a head model's part name -> kind of surface.
_KINDS = {"skin": "skin", "eye": "eyes", "eyes": "eyes", "teeth": "teeth", "tongue": "tongue"}


@dataclass(frozen=True, eq=False)
class Part:
    """A piece of the head's surface.

    Attributes:
        vertices: (V, 3) metres, single precision values: exactly what is rendered and written.
        triangles: (F, 3) int32.
        normals: (V, 3).
        masks: region -> (V,) in 0 to 1.
        base: (V, 3) positions on the mean head, so that patterns and lines drawn there follow every identity.
        uvs: (V, 2) texture coordinates, meaningful where the part has no seams (the eyes).
        corner_uvs: (F, 3, 2) texture coordinates of the triangles' corners, seams included.
    """

    vertices: Floats
    triangles: NDArray[np.int32]
    normals: Floats
    masks: Mapping[str, Floats]
    base: Floats
    uvs: Floats
    corner_uvs: Floats


@dataclass(frozen=True, eq=False)
class HeadGeometry:
    """All parts of a head, and points on it.

    Attributes:
        parts: name -> part, of `HeadSurface.PARTS`.
        landmarks: name -> (3,) metres.
        chains: name -> (N, 3) metres, curves such as the lash lines.
        centre: (3,) of the head without the neck, metres.
        radius: of the sphere around the head without the neck, metres.
    """

    parts: Mapping[str, Part]
    landmarks: Mapping[str, Floats]
    chains: Mapping[str, Floats]
    centre: Floats
    radius: float

    @property
    def skin(self) -> Part:
        return self.parts["skin"]

    def surface(self) -> HeadSurface:
        """The whole as the record that labels are measured against."""
        vertices, faces, parts, face, start = [], [], [], [], 0
        for index, name in enumerate(HeadSurface.PARTS):
            if name not in self.parts:
                continue
            part = self.parts[name]
            vertices.append(part.vertices)
            faces.append(part.triangles + start)
            parts.append(np.full(len(part.triangles), index, np.uint8))
            face.append(
                part.masks["face"] >= 0.5
                if name == "skin" and "face" in part.masks
                else np.zeros(len(part.vertices), bool)
            )
            start += len(part.vertices)
        return HeadSurface(
            np.concatenate(vertices).astype(np.float32),
            np.concatenate(faces).astype(np.int32),
            np.concatenate(parts),
            np.concatenate(face),
        )


def build_head(model: HeadModel, shape: ShapeSpec, skin: Floats | None = None) -> HeadGeometry:
    """Evaluate the head model and subdivide its parts.

    Args:
        model: the head model.
        shape: its coefficients.
        skin: (S, 3) metres, where the skin lies after its first subdivision, if it isn't where the coefficients put
            it: a registration, brought into the head model's frame. Landmarks and chains lie on it, too.

    Raises `InputError` where `skin` is of another head model.
    """
    identity, expression = np.array(shape.identity), np.array(shape.expression)
    vertices = np.asarray(model.vertices(identity, expression, shape.pose), float)
    mean = np.asarray(model.base, float)
    uvs = _vertex_uvs(model)
    kinds = np.array([_KINDS.get(name.partition("_")[0], "") for name in model.part_names])
    parts = {}
    for kind in HeadSurface.PARTS:
        chosen = kinds[model.polygon_parts] == kind
        if chosen.any():
            polygons = model.polygons[chosen]
            corner_uvs = np.asarray(model.uvs, float)[model.polygon_uvs[chosen]]
            moved = skin if kind == "skin" else None
            levels = _levels(kind, polygons)
            parts[kind] = _part(vertices, mean, uvs, model.regions, polygons, corner_uvs, levels, moved)
    smooth = _on_surface(model, parts["skin"], vertices, kinds)
    landmarks = {name: smooth[vertex] for name, vertex in model.landmarks.items()}
    chains = {name: smooth[line] for name, line in model.chains.items()}
    centre, radius = _extent(vertices, mean, model, kinds)
    return HeadGeometry(parts, landmarks, chains, centre, radius)


def _on_surface(model: HeadModel, skin: Part, vertices: Floats, kinds: NDArray[np.str_]) -> Floats:
    """(V, 3) the model's vertices where subdivision moved those of the skin (it keeps the old ones first)."""
    used = _used(model.polygons[kinds[model.polygon_parts] == "skin"])
    moved = vertices.copy()
    moved[used] = skin.vertices[: len(used)]
    return moved


def _used(polygons: NDArray[np.integer]) -> NDArray[np.integer]:
    """The vertices of faces, sorted."""
    return np.unique(polygons[polygons >= 0])


def _levels(kind: str, polygons: NDArray[np.integer]) -> int:
    """Levels of a part's subdivision; one less for the skin of a dense model."""
    return min(LEVELS.get(kind, 0), 1 if kind == "skin" and (polygons >= 0).sum() > DENSE else 9)


def _vertex_uvs(model: HeadModel) -> Floats:
    """(V, 2) one texture point per vertex (any one of those at a seam)."""
    uvs = np.zeros((int(model.polygons.max()) + 1, 2))
    there = model.polygons >= 0
    uvs[model.polygons[there]] = model.uvs[model.polygon_uvs[there]]
    return uvs


def _part(
    vertices: Floats,
    mean: Floats,
    uvs: Floats,
    regions: Mapping[str, NDArray],
    polygons: NDArray[np.int32],
    corner_uvs: Floats,
    levels: int,
    moved: Floats | None = None,
) -> Part:
    used = _used(polygons)
    faces = np.where(polygons >= 0, np.searchsorted(used, polygons), -1).astype(np.int64)
    names = list(regions)
    columns = [mean[used], uvs[used], *(np.asarray(regions[name], float)[used, None] for name in names)]
    positions, values = vertices[used], np.concatenate(columns, axis=1)
    for level in range(levels):
        corner_uvs = split_corners(corner_uvs, faces)
        positions, faces, smooth = catmull_clark(positions, faces, values)
        assert smooth is not None
        values = smooth
        if level == 0 and moved is not None:
            if moved.shape != positions.shape:
                raise InputError(
                    f"a skin of {len(moved)} vertices for a head model whose own has {len(positions)}; "
                    "register this head model"
                )
            positions = moved
    positions = positions.astype(np.float32).astype(float)
    triangles = triangulate(faces)
    masks = {name: np.clip(values[:, 5 + i], 0, 1) for i, name in enumerate(names)}
    normals, corners = vertex_normals(positions, triangles), split_quads(corner_uvs, faces)
    return Part(positions, triangles, normals, masks, values[:, :3], values[:, 3:5], corners)


def _extent(vertices: Floats, mean: Floats, model: HeadModel, kinds: NDArray[np.str_]) -> tuple[Floats, float]:
    """Centre and radius of the head from chin to crown: of what lies above the chin on the mean head."""
    chin = mean[model.landmarks["chin"], 2] if "chin" in model.landmarks else -0.115
    inside = np.zeros(len(vertices), bool)
    inside[_used(model.polygons[kinds[model.polygon_parts] == "skin"])] = True
    head = vertices[inside & (mean[:, 2] > chin)]
    centre = (head.min(axis=0) + head.max(axis=0)) / 2
    return centre, float(np.linalg.norm(head - centre, axis=1).max())
