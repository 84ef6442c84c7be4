"""Linear blend skinning of a chain of joints, plus eyeballs that turn about their own centres."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from assets.head_models.head_model import FloatArray, Rotation


def rotation_matrix(rotation: ArrayLike, fraction: float = 1.0) -> FloatArray:
    """(3, 3) matrix of `fraction` times an axis-angle vector in radians (Rodrigues' formula)."""
    vector = fraction * np.asarray(rotation, dtype=np.float64)
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross


def rotation_about(rotation: Rotation, centre: FloatArray, fraction: float = 1.0) -> FloatArray:
    """(4, 4) rigid transform that rotates about `centre` (3,)."""
    transform = np.eye(4)
    transform[:3, :3] = rotation_matrix(rotation, fraction)
    transform[:3, 3] = centre - transform[:3, :3] @ centre
    return transform


def blend(vertices: FloatArray, transforms: FloatArray, weights: FloatArray) -> FloatArray:
    """(V, 3) vertices moved by the weighted mean of transforms (B, 4, 4), weights (V, B) with rows of sum one."""
    matrices = np.tensordot(weights, transforms[:, :3, :], axes=1)
    return np.einsum("vij,vj->vi", matrices[:, :, :3], vertices) + matrices[:, :, 3]
