"""Exact distances from points to a triangle mesh."""

from __future__ import annotations

import igl
import numpy as np
from numpy.typing import ArrayLike, NDArray

from capture import Mesh


def surface_distance(points: ArrayLike, surface: Mesh) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Unsigned distance from each point to the nearest point of the surface, in float64.

    Args:
        points: (P, 3) metres.
        surface: any triangle mesh.

    Returns:
        distance (P,) in metres and the nearest face (P,).
    """
    queries = np.ascontiguousarray(points, np.float64)
    vertices = np.ascontiguousarray(surface.vertices, np.float64)
    faces = np.ascontiguousarray(surface.faces, np.int64)
    squared, nearest, _ = igl.point_mesh_squared_distance(queries, vertices, faces)
    return np.sqrt(np.maximum(squared, 0)), np.asarray(nearest, np.int64).ravel()
