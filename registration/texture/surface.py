"""The registered template in triangles so small that values between their corners may be interpolated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from assets.head_models.head_model import HeadModel, split_quads
from capture import InputError
from capture.geometry import unique_edges, vertex_normals
from registration.template import Template

Floats = NDArray[np.float64]

_EDGE_M = 0.0012  # mean edge in the face: occlusions are known as finely as this
_MOST_FACES = 2_000_000


@dataclass(frozen=True, eq=False)
class TexturedSurface:
    """Triangles with texture coordinates.

    Attributes:
        points: (n, 3) metres.
        faces: (m, 3).
        corner_uvs: (m, 3, 2) texture coordinates of the faces' corners.
        shown: (n,) what a scan can show at all.
        edge: metres, the mean length of an edge in the face.
    """

    points: Floats
    faces: NDArray[np.int64]
    corner_uvs: Floats
    shown: NDArray[np.bool_]
    edge: float

    @classmethod
    def of(cls, template: Template, vertices: Floats) -> TexturedSurface:
        """Of a template with its vertices (V, 3): its triangles, split in four as often as needed."""
        faces, uvs = template.faces.astype(np.int64), split_quads(template.corner_uvs, template.polygons)
        points, shown = np.asarray(vertices, float), template.shown.astype(float)[:, None]
        inside = template.face_mask
        edge = _mean_edge(points, faces[inside[faces].all(axis=1)])
        while edge > _EDGE_M and 4 * len(faces) <= _MOST_FACES:
            table = np.concatenate([points, shown], axis=1)
            table, faces, uvs = _split(table, faces, uvs)
            points, shown, edge = table[:, :3], table[:, 3:], edge / 2
        return cls(points, faces, uvs, shown[:, 0] > 0.99, edge)

    @cached_property
    def normals(self) -> Floats:
        """(n, 3) unit normals."""
        return vertex_normals(self.points, self.faces)

    @cached_property
    def neighbours(self) -> sparse.csr_matrix:
        """(n, n) 1 for a vertex itself and for those that it has an edge with."""
        first, second = unique_edges(self.faces).T
        every = np.arange(len(self.points))
        rows, columns = np.concatenate([first, second, every]), np.concatenate([second, first, every])
        ones = np.ones(len(rows), np.float32)
        return sparse.csr_matrix((ones, (rows, columns)), shape=(len(every), len(every)))

    def depth_in(self, inside: NDArray[np.bool_], rings: int) -> NDArray[np.int8]:
        """(n, ...) how many edges, `rings` at most, a vertex lies from those that are not `inside` (n, ...)."""
        depth = np.zeros(inside.shape, np.int8)
        outside = ~inside
        for _ in range(rings):
            depth += ~outside
            outside = np.asarray(self.neighbours @ outside.astype(np.float32)) > 0
        return depth


def check_uvs(model: HeadModel) -> None:
    """Raise `InputError` where the skin of a head model has no texture coordinates, or some that are no numbers."""
    skin = np.array([name.startswith("skin") for name in model.part_names])[model.polygon_parts]
    uvs = model.uvs[model.polygon_uvs[skin][model.polygons[skin] >= 0]]
    if not len(uvs) or not np.isfinite(uvs).all() or np.ptp(uvs, axis=0).min() <= 0:
        raise InputError(
            f"head model {model.name}: it has no texture coordinates (uvs), so no texture can be baked; "
            "see docs/head_models.md"
        )


def _mean_edge(points: Floats, faces: NDArray[np.int64]) -> float:
    first, second = unique_edges(faces).T
    return float(np.linalg.norm(points[first] - points[second], axis=1).mean())


def _split(table: Floats, faces: NDArray[np.int64], uvs: Floats) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Each triangle as four, with values (n, C) at vertices and (m, 3, 2) at corners halfway along the edges."""
    pairs = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    key, index = np.unique(pairs[:, 0] * len(table) + pairs[:, 1], return_inverse=True)
    ends = np.stack([key // len(table), key % len(table)], axis=1)
    middle = len(table) + index.reshape(-1, 3)
    halves = (uvs + np.roll(uvs, -1, axis=1)) / 2
    whole = np.concatenate([faces, middle], axis=1)
    corners = np.concatenate([uvs, halves], axis=1)
    pieces = [[0, 3, 5], [3, 1, 4], [5, 4, 2], [3, 4, 5]]  # 3, 4, 5: the middles of the edges 01, 12, 20
    values = np.concatenate([table, table[ends].mean(axis=1)])
    return values, whole[:, pieces].reshape(-1, 3), corners[:, pieces].reshape(-1, 3, 2)
