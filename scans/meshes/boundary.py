"""The boundary between skin and the rest of a scan."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree


def boundary_distance_mm(
    vertices: NDArray, faces: NDArray, skin: NDArray[np.bool_], known: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """(V,) straight distance to the nearest middle of an edge between a skin vertex and another one.

    Args:
        vertices: (V, 3) metres.
        faces: (F, 3).
        skin: (V,).
        known: (V,) False where it is not known whether it is skin; None where it is known of all.
    """
    tail, head = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    between = skin[tail] != skin[head]
    if known is not None:
        between &= known[tail] & known[head]
    if not between.any():
        return np.full(len(vertices), np.inf, np.float32)
    points = np.asarray(vertices, np.float64)
    middles = np.unique((points[tail[between]] + points[head[between]]) / 2, axis=0)
    return (1000 * cKDTree(middles).query(points)[0]).astype(np.float32)
