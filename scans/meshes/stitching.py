"""Joining the vertices of a mesh that is in pieces where its surface is not: soups, tiles, seams."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from capture.geometry import border_vertices
from scans.meshes.pieces import piece_of_faces

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_COPIES = 0.01  # share of the vertices that stand where another does, below which that is left: cuts, not copies
_GAPS = (0.1, 0.25, 0.5)  # of the median edge: so far are borders joined, the wider ones only where little else holds
_ALIKE = 0.25  # share of the border's vertices that have a partner on another border, below which they are no seam
_FEW = 0.005  # nor below this share of all vertices
_SMALL, _SHATTERED = (
    0.005,
    0.05,
)  # a piece with fewer of the faces is small; a mesh with more of them in such, shattered
_EDGES = 100_000  # that the median is taken of


def stitch(points: Floats, faces: Ints) -> Ints:
    """(V,) the vertex that stands for each: itself, or the first of those that it is joined with.

    Vertices are joined at the same place where many of them are (a face with corners of its own, seams of textures),
    and along borders that run a tenth of an edge apart (tiles). Where pieces still are small, wider gaps are closed, up
    to half of an edge. Few coincident vertices are cuts that keep a mesh manifold, and stay.

    Args:
        points: (V, 3).
        faces: (F, 3).
    """
    joined = _first_copies(points, faces)
    used = np.zeros(len(points), bool)
    used[faces] = True
    if (joined[used] != np.flatnonzero(used)).mean() <= _COPIES:
        joined = np.arange(len(points))
    edge = _median_edge(points, faces)
    for number, gap in enumerate(_GAPS):
        corners = joined[faces]
        if number and shattered(corners) <= _SHATTERED:
            break
        border = np.flatnonzero(border_vertices(corners, len(points)))
        pairs = border[_close_pairs(points[border], gap * edge)]
        enough = max(_ALIKE * len(border), _FEW * used.sum())
        if len(np.unique(pairs)) <= enough:  # with those that are joined by an edge
            continue
        pairs = pairs[~_edges_among(pairs, corners, len(points))]
        if len(np.unique(pairs)) > enough:
            joined = _smallest_of_group(pairs, len(points))[joined]
    return joined


def shattered(faces: Ints) -> float:
    """Share of the faces that belong to pieces with less than half a per cent of them."""
    piece = piece_of_faces(faces)
    size = np.bincount(piece)[piece]
    return float((size < _SMALL * len(faces)).mean())


def _first_copies(points: Floats, faces: Ints) -> Ints:
    """(V,) the first used vertex at exactly the same place as each; one that no face uses is alone."""
    index = np.unique(faces)
    placed = points[index] + 0.0  # -0 becomes 0
    order = np.lexsort(placed.T)  # stable: of equal ones the first comes first
    new = np.ones(len(order), bool)
    new[1:] = (placed[order[1:]] != placed[order[:-1]]).any(axis=1)
    first = np.arange(len(points))
    first[index[order]] = index[order][np.flatnonzero(new)][np.cumsum(new) - 1]
    return first


def _median_edge(points: Floats, faces: Ints) -> float:
    some = faces[:: max(1, len(faces) // _EDGES)]
    length = np.linalg.norm(points[some] - points[np.roll(some, 1, axis=1)], axis=2)
    return float(np.median(length))


def _close_pairs(points: Floats, reach: float) -> Ints:
    """(P, 2) indices of points within reach of one another."""
    return np.asarray(cKDTree(points).query_pairs(reach, output_type="ndarray"), np.int64).reshape(-1, 2)


def _edges_among(pairs: Ints, faces: Ints, count: int) -> NDArray[np.bool_]:
    """(P,) whether a pair (P, 2) of vertices is joined by an edge: a short one, not a gap."""
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    edges = np.unique(np.minimum(start, end) * np.int64(count) + np.maximum(start, end))
    return np.isin(pairs.min(axis=1) * np.int64(count) + pairs.max(axis=1), edges)


def _smallest_of_group(pairs: Ints, count: int) -> Ints:
    """(V,) the smallest vertex of those that the pairs join with each."""
    graph = coo_matrix((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), (count, count))
    _, group = connected_components(graph, directed=False)
    first = np.full(int(group.max()) + 1, count, np.int64)
    np.minimum.at(first, group, np.arange(count))
    return first[group]
