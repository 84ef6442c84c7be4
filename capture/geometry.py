"""Geometry of triangle meshes and rotations, as arrays: what all packages share. Vertices are (V, 3), faces (F, 3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MeshArrays = tuple[Floats, Ints]
"""Vertices (V, 3) and faces (F, 3), counter-clockwise seen from outside."""
Vertices = NDArray[np.floating]
Faces = NDArray[np.integer]


def unit(vectors: Floats) -> Floats:
    """Vectors (..., 3) of length one; zero stays zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(length > 1e-12, length, 1))


def rotation_matrix(vector: ArrayLike, fraction: float = 1.0) -> Floats:
    """(3, 3) matrix of `fraction` times a rotation vector (3,): axis times angle in radians (Rodrigues' formula)."""
    turn = fraction * np.asarray(vector, dtype=np.float64)
    angle = float(np.linalg.norm(turn))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = turn / angle
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross)


def nearest_to_lines(points: Floats, directions: Floats, least: float = 1e-6) -> tuple[Floats, float]:
    """The point (3,) with the least squared distance to lines, and how well they tell it.

    The second is the mean square of the share by which a step of the worst direction leads away from the lines: 0 where
    they are parallel.

    Args:
        points: (N, 3) one of each line.
        directions: (N, 3) unit vectors.
        least: where the lines tell less than this of a direction, the point is the one on the middle line, in that
            direction, that is nearest to the origin.
    """
    across = np.eye(3) - directions[:, :, None] * directions[:, None, :]
    normal = across.mean(axis=0)
    point = np.linalg.lstsq(normal, np.einsum("nij,nj->i", across, points) / len(points), rcond=least)[0]
    return np.asarray(point), float(np.linalg.eigvalsh(normal)[0])


def _normals_by_area(vertices: Vertices, faces: Faces) -> Floats:
    """(F, 3) normals, twice as long as the face's area."""
    corners = np.asarray(vertices, float)[faces]
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


def face_normals(vertices: Vertices, faces: Faces) -> Floats:
    """(F, 3) unit normals, zero for faces without area."""
    normals = _normals_by_area(vertices, faces)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)


def face_areas(vertices: Vertices, faces: Faces) -> Floats:
    """(F,) areas."""
    return np.asarray(np.linalg.norm(_normals_by_area(vertices, faces), axis=1) / 2)


def vertex_normals(vertices: Vertices, faces: Faces) -> Floats:
    """(V, 3) unit normals, the faces' weighted by area; +Z where a vertex has no face with an area."""
    normals = _normals_by_area(vertices, faces)
    total = np.zeros((len(vertices), 3))
    for corner in range(3):
        for axis in range(3):
            total[:, axis] += np.bincount(faces[:, corner], normals[:, axis], len(vertices))
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.where(length > 1e-30, total / np.where(length > 1e-30, length, 1), np.array([0.0, 0.0, 1.0]))


def vertex_areas(vertices: Vertices, faces: Faces) -> Floats:
    """(V,) thirds of the faces around each vertex."""
    thirds = face_areas(vertices, faces) / 3
    return np.asarray(sum(np.bincount(faces[:, corner], thirds, len(vertices)) for corner in range(3)))


def corner_cotangents(vertices: Vertices, faces: Faces) -> Floats:
    """(F, 3) cotangent of the angle at each corner, very large where the face has no area."""
    points = np.asarray(vertices, float)
    cotangents = np.empty((len(faces), 3))
    for corner in range(3):
        here, after, before = (faces[:, (corner + k) % 3] for k in range(3))
        one, other = points[after] - points[here], points[before] - points[here]
        doubled = np.linalg.norm(np.cross(one, other), axis=1)
        cotangents[:, corner] = (one * other).sum(axis=1) / np.maximum(doubled, 1e-18)
    return cotangents


def unique_edges(faces: Faces) -> Ints:
    """(E, 2) the edges of the faces, each once, the smaller vertex first."""
    pairs = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    return np.unique(pairs, axis=0).astype(np.int64)


def open_edges(faces: Faces) -> NDArray[np.bool_]:
    """(F, 3) true where the edge from a corner to the next one belongs to that face alone."""
    edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2).astype(np.int64), axis=1)
    key = edges[:, 0] * (int(edges.max(initial=0)) + 1) + edges[:, 1]
    _, inverse, count = np.unique(key, return_inverse=True, return_counts=True)
    return np.asarray((count[inverse] == 1).reshape(-1, 3))


def border_vertices(faces: Faces, count: int, alone: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """(count,) true for the vertices of open edges; `alone` are the `open_edges`, where they are known."""
    alone = open_edges(faces) if alone is None else alone
    border = np.zeros(count, bool)
    border[faces[alone]] = True
    border[np.roll(faces, -1, axis=1)[alone]] = True
    return border
