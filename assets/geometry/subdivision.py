"""Catmull-Clark subdivision of meshes of quads and triangles.

Done here rather than by Blender so that the surface that hair grows on, the surface that is rendered and the
surface that labels are measured against are the same numbers in every Blender version.

Faces are (F, 4) corners; a triangle has -1 as its last one. After one level all faces are quads.

Source: Catmull and Clark, "Recursively generated B-spline surfaces on arbitrary topological meshes" (1978); borders
follow the cubic B-spline rule (DeRose et al. 1998).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture.geometry import Floats, Ints


@dataclass(frozen=True, eq=False)
class Edges:
    """Unique edges of a mesh.

    Attributes:
        ends: (E, 2) vertex indices, smaller first.
        of_face: (F, 4) edge between corner i and the next one of each face, -1 where a triangle has no corner i.
        border: (E,) whether it has other than two faces.
    """

    ends: Ints
    of_face: Ints
    border: NDArray[np.bool_]


def face_edges(polygons: NDArray[np.integer]) -> Edges:
    """The edges of faces (F, 4)."""
    there = polygons >= 0
    following = _following(polygons)
    pairs = np.sort(np.stack([polygons, following], axis=-1)[there].astype(np.int64), axis=1)
    size = int(pairs.max()) + 1
    keys, inverse, counts = np.unique(pairs[:, 0] * size + pairs[:, 1], return_inverse=True, return_counts=True)
    of_face = np.full(polygons.shape, -1, np.int64)
    of_face[there] = inverse.ravel()
    return Edges(np.stack([keys // size, keys % size], axis=1), of_face, counts != 2)


def _following(values: NDArray) -> NDArray:
    """(F, 4, ...) at every corner the value at the next one; a triangle's last corner is followed by its first.

    Triangles are told by -1 in their last corner of (F, 4), or NaN in that of (F, 4, C).
    """
    after = np.roll(values, -1, axis=1)
    last = values[:, 3] if values.ndim == 2 else values[:, 3, 0]
    triangle = last < 0 if values.ndim == 2 else np.isnan(last)
    after[triangle, 2], after[triangle, 3] = values[triangle, 0], values[triangle, 3]
    return after


def _preceding(values: Ints) -> Ints:
    """(F, 4) at every corner the value at the one before it."""
    before = np.roll(values, 1, axis=1)
    triangle = values[:, 3] < 0
    before[triangle, 0] = values[triangle, 2]
    return before


def _face_means(values: Floats, polygons: NDArray[np.integer]) -> Floats:
    """(F, C) mean over the corners."""
    there = (polygons >= 0)[..., None]
    return np.asarray(np.where(there, values[polygons], 0).sum(axis=1) / there.sum(axis=1))


def catmull_clark(
    vertices: Floats, polygons: NDArray[np.integer], attributes: Floats | None = None
) -> tuple[Floats, Ints, Floats | None]:
    """One level of subdivision.

    Args:
        vertices: (V, 3).
        polygons: (F, 4), -1 for the missing corner of a triangle.
        attributes: (V, C) values to interpolate linearly (masks, coordinates), or None.

    Returns:
        vertices (V + E + F, 3): the old ones moved, then one per edge, then one per face; quads (N, 4), one for each
        corner of the faces, in their order; attributes (V + E + F, C).
    """
    edges = face_edges(polygons)
    faces = _face_means(vertices, polygons)
    middles = vertices[edges.ends].mean(axis=1)
    positions = np.concatenate(
        [_moved(vertices, polygons, edges, faces, middles), _edge_points(edges, faces, middles), faces]
    )
    values = None
    if attributes is not None:
        values = np.concatenate([attributes, attributes[edges.ends].mean(axis=1), _face_means(attributes, polygons)])
    return positions, _split(polygons, edges, len(vertices)), values


def split_corners(corners: Floats, polygons: NDArray[np.integer]) -> Floats:
    """(N, 4, C) values at the corners of the quads that `catmull_clark` makes, from those of the old (F, 4, C).

    Interpolated within each face alone, so that texture coordinates keep their seams.
    """
    there = polygons >= 0
    values = np.where(there[..., None], corners, np.nan)
    after = (values + _following(values)) / 2
    before = np.roll(after, 1, axis=1)
    before[~there[:, 3], 0] = after[~there[:, 3], 2]
    centre = np.broadcast_to(np.nanmean(values, axis=1, keepdims=True), values.shape)
    return np.asarray(np.stack([values, after, centre, before], axis=2)[there])


def _split(polygons: NDArray[np.integer], edges: Edges, count: int) -> Ints:
    """(N, 4) the quads around the corners of each face."""
    after = edges.of_face + count
    before = _preceding(edges.of_face) + count
    centre = np.arange(len(polygons)) + count + len(edges.ends)
    parts = [polygons, after, np.broadcast_to(centre[:, None], polygons.shape), before]
    return np.asarray(np.stack(parts, axis=-1)[polygons >= 0], np.int64)


def _edge_points(edges: Edges, faces: Floats, middles: Floats) -> Floats:
    sums = np.zeros_like(middles)
    for corner in range(4):
        there = edges.of_face[:, corner] >= 0
        np.add.at(sums, edges.of_face[there, corner], faces[there])
    smooth = middles / 2 + sums / 4
    return np.where(edges.border[:, None], middles, smooth)


def _moved(vertices: Floats, polygons: NDArray[np.integer], edges: Edges, faces: Floats, middles: Floats) -> Floats:
    """Positions (V, 3) of the old vertices."""
    count = len(vertices)
    valence = np.bincount(polygons[polygons >= 0], minlength=count).astype(float)
    face_sum, edge_sum, edge_count = np.zeros_like(vertices), np.zeros_like(vertices), np.zeros(count)
    border_sum, border_count = np.zeros_like(vertices), np.zeros(count)
    for corner in range(4):
        there = polygons[:, corner] >= 0
        np.add.at(face_sum, polygons[there, corner], faces[there])
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
