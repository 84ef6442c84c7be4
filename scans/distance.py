"""Exact distances from points to a triangle mesh."""

from __future__ import annotations

from typing import Protocol

import igl
import numpy as np
from numpy.typing import ArrayLike, NDArray

from capture.geometry import border_vertices, open_edges


class TriangleMesh(Protocol):
    """Vertices (V, 3) and faces (F, 3): `capture.Mesh`, or the like in double precision."""

    @property
    def vertices(self) -> NDArray: ...

    @property
    def faces(self) -> NDArray: ...


def surface_distance(points: ArrayLike, surface: TriangleMesh) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Unsigned distance from each point to the nearest point of the surface, in float64.

    Args:
        points: (P, 3) metres.
        surface: any triangle mesh.

    Returns:
        distance (P,) in metres and the nearest face (P,).
    """
    distance, nearest, _ = closest_points(points, surface)
    return distance, nearest


def surface_distance_mm(points: ArrayLike, surface: TriangleMesh) -> NDArray[np.float64]:
    """(P,) unsigned distances in mm from points (P, 3) to a surface, both in metres."""
    return np.asarray(1000 * surface_distance(points, surface)[0])


def closest_points(
    points: ArrayLike, surface: TriangleMesh
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """As `surface_distance`, and the nearest point of the surface itself, (P, 3) metres."""
    return SurfaceSearch(surface).closest_points(points)


class SurfaceSearch:
    """A surface that nearest points are looked for on more than once: its tree of boxes takes most of the time."""

    def __init__(self, surface: TriangleMesh) -> None:
        self._vertices = np.ascontiguousarray(surface.vertices, np.float64)
        self._faces = np.ascontiguousarray(surface.faces, np.int64)
        self._tree = igl.AABB()
        self._tree.init(self._vertices, self._faces)

    def closest_points(self, points: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
        """As the function of that name."""
        queries = np.ascontiguousarray(points, np.float64)
        squared, nearest, where = self._tree.squared_distance(self._vertices, self._faces, queries)
        return np.sqrt(np.maximum(squared, 0)), np.asarray(nearest, np.int64).ravel(), np.asarray(where, np.float64)


def inside_or_outside(
    points: ArrayLike, surface: TriangleMesh, nearest: NDArray[np.int64], where: NDArray[np.float64]
) -> NDArray[np.int8]:
    """(P,) side of the surface that points lie on: 1 outside, -1 inside, 0 where it is too open there to say.

    The sign of the product with the angle-weighted pseudonormal of the face, edge or vertex that is nearest (Baerentzen
    and Aanaes, "Signed distance computation using the angle weighted pseudonormal", 2005). It is right wherever the
    surface around the nearest point is closed and oriented; a nearest point on a border edge tells nothing.

    Args:
        points: (P, 3) metres.
        surface: oriented outwards.
        nearest, where: nearest faces (P,) and points (P, 3), as `closest_points` gives them.
    """
    queries = np.ascontiguousarray(points, np.float64)
    vertices = np.ascontiguousarray(surface.vertices, np.float64)
    faces = np.ascontiguousarray(surface.faces, np.int64)
    signed = igl.signed_distance(queries, vertices, faces, igl.SignedDistanceType.SIGNED_DISTANCE_TYPE_PSEUDONORMAL)[0]
    side = np.where(signed < 0, -1, 1).astype(np.int8)
    side[_on_border(vertices, faces, nearest, where)] = 0
    return side


def _on_border(
    vertices: NDArray[np.float64], faces: NDArray[np.int64], nearest: NDArray[np.int64], where: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(P,) whether nearest points lie on an edge that only one face has, or at an end of one."""
    open_edge = open_edges(faces)
    at_border = border_vertices(faces, len(vertices), open_edge)
    corners = vertices[faces[nearest]]
    weights = _barycentric(corners, where)
    on_border = np.zeros(len(nearest), bool)
    for k in range(3):  # edge k lies opposite to corner k + 2
        on_border |= (weights[:, (k + 2) % 3] < 1e-6) & open_edge[nearest, k]
        on_border |= (weights[:, k] > 1 - 1e-6) & at_border[faces[nearest, k]]
    return on_border


def _barycentric(corners: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(P, 3) weights of points in triangles (P, 3, 3); Ericson, "Real-Time Collision Detection", 3.4."""
    a, b, c = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0], points - corners[:, 0]
    aa, ab, bb = (a * a).sum(1), (a * b).sum(1), (b * b).sum(1)
    ca, cb = (c * a).sum(1), (c * b).sum(1)
    size = np.maximum(aa * bb - ab * ab, 1e-300)
    v, w = (bb * ca - ab * cb) / size, (aa * cb - ab * ca) / size
    return np.stack([1 - v - w, v, w], axis=1)
