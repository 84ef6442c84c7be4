"""Clean-up of triangle meshes: small pieces, degenerate faces, edges and vertices that are not manifold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from capture.geometry import Floats, Ints, MeshArrays, face_areas
from scans.meshes.pieces import piece_of_vertices


def compact(vertices: Floats, faces: Ints) -> MeshArrays:
    """Drop vertices that no face uses; the order stays."""
    used = np.zeros(len(vertices), bool)
    used[faces] = True
    number = np.cumsum(used) - 1
    return vertices[used], number[faces]


def keep_vertices(vertices: Floats, faces: Ints, keep: NDArray[np.bool_]) -> MeshArrays:
    """The faces whose three vertices are kept."""
    return compact(vertices, faces[keep[faces].all(axis=1)])


def drop_bad_faces(vertices: Floats, faces: Ints) -> MeshArrays:
    """The mesh without faces that repeat a vertex, have no area, or repeat another face."""
    distinct = (faces != np.roll(faces, 1, axis=1)).all(axis=1)
    faces = faces[distinct]
    size = np.ptp(vertices, axis=0).max() if len(vertices) else 1.0
    faces = faces[face_areas(vertices, faces) > (1e-7 * size) ** 2]
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    return compact(vertices, faces[np.sort(first)])


def largest_components(vertices: Floats, faces: Ints, share: float) -> MeshArrays:
    """The connected pieces whose area is at least `share` of the largest one's."""
    label = piece_of_vertices(faces, len(vertices))
    area = np.bincount(label[faces[:, 0]], weights=face_areas(vertices, faces), minlength=int(label.max()) + 1)
    return keep_vertices(vertices, faces, area[label] >= share * area.max())


def make_manifold(vertices: Floats, faces: Ints) -> MeshArrays:
    """Cut the mesh where more than two faces share an edge or two fans share only a vertex.

    Corners of faces are joined across edges that exactly two faces share, running opposite ways; every group of
    joined corners becomes a vertex of its own. A mesh that is manifold already keeps its vertices.
    """
    corner = np.arange(3 * len(faces)).reshape(-1, 3)
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    here, there = corner.ravel(), np.roll(corner, -1, axis=1).ravel()
    low, high = np.minimum(start, end), np.maximum(start, end)
    key = low * np.int64(len(vertices)) + high
    order = np.argsort(key, kind="stable")
    _, first, count = np.unique(key[order], return_index=True, return_counts=True)
    one, other = order[first[count == 2]], order[first[count == 2] + 1]
    opposite = start[one] == end[other]
    one, other = one[opposite], other[opposite]
    rows = np.concatenate([here[one], there[one]])
    columns = np.concatenate([there[other], here[other]])
    graph = coo_matrix((np.ones(len(rows), np.int8), (rows, columns)), (corner.size, corner.size))
    group = connected_components(graph, directed=False)[1]
    origin = np.zeros(int(group.max()) + 1 if len(group) else 0, np.int64)
    origin[group] = faces.ravel()
    order = np.argsort(origin, kind="stable")
    number = np.empty_like(order)
    number[order] = np.arange(len(order))
    return vertices[origin[order]], number[group].reshape(-1, 3)
