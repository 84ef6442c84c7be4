"""Catmull-Clark subdivision of quad meshes.

Done here rather than by Blender so that the surface that hair grows on, the surface that is rendered and the
surface that labels are measured against are the same numbers in every Blender version.

Source: Catmull and Clark, "Recursively generated B-spline surfaces on arbitrary topological meshes" (1978); borders
follow the cubic B-spline rule (DeRose et al. 1998).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Edges:
    """Unique edges of a quad mesh.

    Attributes:
        ends: (E, 2) vertex indices, smaller first.
        of_face: (F, 4) edge between corner i and corner i + 1 of each face.
        border: (E,) whether it has other than two faces.
    """

    ends: Ints
    of_face: Ints
    border: NDArray[np.bool_]


def quad_edges(quads: NDArray[np.integer]) -> Edges:
    """The edges of quads (F, 4)."""
    pairs = np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1).reshape(-1, 2)
    pairs = np.sort(pairs.astype(np.int64), axis=1)
    size = int(pairs.max()) + 1
    keys, inverse, counts = np.unique(pairs[:, 0] * size + pairs[:, 1], return_inverse=True, return_counts=True)
    ends = np.stack([keys // size, keys % size], axis=1)
    return Edges(ends, inverse.reshape(-1, 4), counts != 2)


def catmull_clark(
    vertices: Floats, quads: NDArray[np.integer], attributes: Floats | None = None
) -> tuple[Floats, Ints, Floats | None]:
    """One level of subdivision.

    Args:
        vertices: (V, 3).
        quads: (F, 4).
        attributes: (V, C) values to interpolate linearly (masks, coordinates), or None.

    Returns:
        vertices (V + E + F, 3): the old ones moved, then one per edge, then one per face; quads (4 F, 4), those of
        face i at 4 i to 4 i + 3; attributes (V + E + F, C).
    """
    edges = quad_edges(quads)
    faces = vertices[quads].mean(axis=1)
    middles = vertices[edges.ends].mean(axis=1)
    positions = np.concatenate([_moved(vertices, quads, edges, faces, middles), _edge_points(edges, faces, middles),
                                faces])
    values = None
    if attributes is not None:
        values = np.concatenate([attributes, attributes[edges.ends].mean(axis=1), attributes[quads].mean(axis=1)])
    return positions, _split(quads, edges, len(vertices)), values


def split_corners(corners: Floats) -> Floats:
    """(4 F, 4, C) values at the corners of the quads that `catmull_clark` makes, from those of the old (F, 4, C).

    Interpolated within each quad alone, so that texture coordinates keep their seams.
    """
    after = (corners + np.roll(corners, -1, axis=1)) / 2
    centre = np.broadcast_to(corners.mean(axis=1, keepdims=True), corners.shape)
    parts = [corners, after, centre, np.roll(after, 1, axis=1)]
    return np.stack(parts, axis=2).reshape(-1, 4, corners.shape[-1])


def _split(quads: NDArray[np.integer], edges: Edges, count: int) -> Ints:
    """(4 F, 4) the quads around the corners of each face."""
    after = edges.of_face + count
    before = np.roll(after, 1, axis=1)
    centre = np.arange(len(quads)) + count + len(edges.ends)
    parts = [quads, after, np.broadcast_to(centre[:, None], quads.shape), before]
    return np.stack(parts, axis=-1).astype(np.int64).reshape(-1, 4)


def _edge_points(edges: Edges, faces: Floats, middles: Floats) -> Floats:
    sums = np.zeros_like(middles)
    for corner in range(4):
        np.add.at(sums, edges.of_face[:, corner], faces)
    smooth = middles / 2 + sums / 4
    return np.where(edges.border[:, None], middles, smooth)


def _moved(vertices: Floats, quads: NDArray[np.integer], edges: Edges, faces: Floats, middles: Floats) -> Floats:
    """Where the old vertices go."""
    count = len(vertices)
    valence = np.bincount(quads.ravel(), minlength=count).astype(float)
    face_sum, edge_sum, edge_count = np.zeros_like(vertices), np.zeros_like(vertices), np.zeros(count)
    border_sum, border_count = np.zeros_like(vertices), np.zeros(count)
    for corner in range(4):
        np.add.at(face_sum, quads[:, corner], faces)
    for end in range(2):
        np.add.at(edge_sum, edges.ends[:, end], middles)
        np.add.at(edge_count, edges.ends[:, end], 1)
        np.add.at(border_sum, edges.ends[edges.border, end], middles[edges.border])
        np.add.at(border_count, edges.ends[edges.border, end], 1)
    n = np.maximum(valence, 1)[:, None]
    smooth = (face_sum / n + 2 * edge_sum / np.maximum(edge_count, 1)[:, None] + (n - 3) * vertices) / n
    border = (border_sum / np.maximum(border_count, 1)[:, None] + vertices) / 2
    corner = (border_count > 0) & (border_count != 2)
    result = np.where((border_count == 2)[:, None], border, smooth)
    keep = corner | (valence == 0)
    return np.where(keep[:, None], vertices, result)
