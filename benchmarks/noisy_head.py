"""A head such as stereo makes it, without any data at hand: open at the neck, noisy, irregular, with loose pieces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.labeling import head

NOISE = 0.4  # standard deviation of the vertices' error in edge lengths, as of stereo at the limit of its resolution
LUMPS_MM = 3.0  # of hair and clothes


def noisy_head(vertices: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Positions (V, 3) in metres and faces (F, 3) of the default model's mean head, cut to `vertices` from the top.

    The noise is isotropic: slivers, obtuse angles and folded faces come about as they do in a scan. Ten loose pieces
    float beside it. At most some 300,000 vertices are to be had.
    """
    rng = np.random.default_rng(seed)
    surface = head(3 if vertices > 80_000 else 2 if vertices > 20_000 else 1)
    points, faces = surface.vertices.astype(float), surface.faces.astype(np.int64)
    points += _lumps(points, rng) * LUMPS_MM / 1000
    kept = np.zeros(len(points), bool)
    kept[np.argsort(-points[:, 2], kind="stable")[:vertices]] = True
    faces = faces[kept[faces].all(axis=1)]
    edge = np.linalg.norm(points[faces[:, 0]] - points[faces[:, 1]], axis=1)
    local = np.bincount(faces[:, 0], edge, len(points)) / np.maximum(np.bincount(faces[:, 0], minlength=len(points)), 1)
    points += NOISE / np.sqrt(3) * local[:, None] * rng.normal(size=points.shape)
    used, corners = np.unique(faces, return_inverse=True)
    points, faces = points[used], corners.reshape(-1, 3)
    for _ in range(10):
        patch = faces[rng.integers(len(faces)) + np.arange(200)[: len(faces)] - len(faces)]
        ids, corners = np.unique(patch, return_inverse=True)
        moved = points[ids] + 0.02 * rng.normal(size=3) + [0, -0.1, 0]
        faces = np.concatenate([faces, corners.reshape(-1, 3) + len(points)])
        points = np.concatenate([points, moved])
    return points, faces


def _lumps(points: NDArray, rng: np.random.Generator, waves: int = 24) -> NDArray[np.float64]:
    """(V, 3) smooth displacements of unit size: sums of waves of 10 to 50 mm."""
    directions = rng.normal(size=(waves, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    phases = points @ (directions * 2 * np.pi / rng.uniform(0.01, 0.05, (waves, 1))).T + rng.uniform(0, 7, waves)
    return np.sin(phases) @ rng.normal(size=(waves, 3)) * np.sqrt(2 / waves / 3)
