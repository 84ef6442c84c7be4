"""Features of the scan's geometry alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from training.operators import Operators

_CHUNK = 65536


def surface_variation(vertices: NDArray, neighbours: int = 30, at: NDArray | None = None) -> NDArray[np.float32]:
    """σ = λ_min / (λ_0 + λ_1 + λ_2) of the covariance of the nearest vertices: 0 on a plane, 1/3 in a cloud.

    Chen et al. 2025, supplement, Eq. 1; from Pauly et al., "Efficient Simplification of Point-Sampled Surfaces", 2002.

    Args:
        vertices: (V, 3).
        neighbours: k, the vertex itself among them.
        at: (P,) indices of the vertices asked for; all where None.

    Returns:
        (P,) float32 in [0, 1/3].
    """
    points = np.asarray(vertices, np.float64)
    queries = points if at is None else points[at]
    count = min(neighbours, len(points))
    tree = cKDTree(points)
    result = np.zeros(len(queries), np.float32)
    for first in range(0, len(queries), _CHUNK):
        part = slice(first, first + _CHUNK)
        _, index = tree.query(queries[part], k=count, workers=-1)
        near = points[index.reshape(-1, count)]
        near = near - near.mean(axis=1, keepdims=True)
        values = np.linalg.eigvalsh(np.einsum("vki,vkj->vij", near, near))
        total = values.sum(axis=1)
        result[part] = np.divide(np.maximum(values[:, 0], 0), total, out=np.zeros(len(total)), where=total > 0)
    return result


def heat_kernel_signature(operators: Operators, scales: int = 16) -> NDArray[np.float32]:
    """(V, scales) Σ_k exp(-λ_k t) φ_k² at times from 0.01 to 1, in the operators' unit (Sun et al. 2009).

    The times are fixed, not stretched to the spectrum: scans are metric, and a time means the same length on each.
    """
    times = np.geomspace(1e-2, 1, scales)
    decay = np.exp(-operators.eigenvalues[:, None].astype(np.float64) * times)
    return np.asarray(np.square(operators.eigenvectors.astype(np.float64)) @ decay, np.float32)
