"""Linear blend skinning of a chain of joints, plus eyeballs that turn about their own centres."""

from __future__ import annotations

import numpy as np

from assets.head_models.head_model import FloatArray, Rotation
from capture.geometry import rotation_matrix


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
