"""Lifting: maps over images become features at points of a scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from scans.visibility import Views

Fusion = Literal["mean", "mean_variance", "weighted_mean", "weighted_mean_variance"]

_CHUNK = 1024  # points at once: what is worked on stays in the processor's cache

Floats = NDArray[np.float32]


def fusion_weights(views: Views, fusion: Fusion) -> NDArray[np.float64]:
    """(N, P) weights over the views, with sum one at each point, or zero where no image covers it.

    The weighted modes use visibility and viewing angle. A point that no view sees takes all images that cover it alike:
    what they show there is what hides it.
    """
    plain = views.inside.astype(np.float64)
    weights = plain
    if fusion.startswith("weighted"):
        weights = np.where(views.weights.sum(axis=0) > 0, views.weights, plain)
    total = weights.sum(axis=0)
    return np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)


@dataclass(frozen=True, eq=False)
class Placement:
    """Positions of P points in N images, and the weights of the images.

    Attributes:
        where: (N, P, 2) float32 position as a share of the image's width and height.
        weights: (N, P) float32, as `fusion_weights` gives them.
    """

    where: NDArray[np.float32]
    weights: NDArray[np.float32]


def place(views: Views, fusion: Fusion) -> Placement:
    """Positions and weights of the points in the views, for the image head."""
    return Placement(views.where.astype(np.float32), fusion_weights(views, fusion).astype(np.float32))


def lift(maps: Sequence[NDArray], views: Views, fusion: Fusion) -> Floats:
    """Sample a map of each view bilinearly and fuse over the views.

    Args:
        maps: N arrays (h_i, w_i, C) of numbers that cover the whole image each, at any resolution.
        views: P points in the N views.
        fusion: mean, with or without visibility weights, with or without the variance behind it.

    Returns:
        (P, C), or (P, 2 C) mean μ = Σ w f and variance Σ w (f - μ)², which doesn't cancel.
    """
    if not len(maps):
        raise ValueError("no maps given")
    weights = fusion_weights(views, fusion).astype(np.float32)
    channels = maps[0].shape[2]
    result = np.zeros((weights.shape[1], channels * (2 if fusion.endswith("variance") else 1)), np.float32)
    for first in range(0, len(result), _CHUNK):
        part = slice(first, first + _CHUNK)
        mean, variance = np.split(result[part], [channels], axis=1)
        samples = []
        for image, where, weight in zip(maps, views.where[:, part], weights[:, part], strict=True):
            used = np.flatnonzero(weight)
            sample = _sampled(image, where[used])
            mean[used] += weight[used, None] * sample
            samples.append((used, weight[used, None], sample))
        if variance.shape[1]:
            for used, weight, sample in samples:
                sample -= mean[used]
                variance[used] += weight * np.square(sample, out=sample)
    return result


def _sampled(image: NDArray, where: NDArray) -> Floats:
    """(P, C) a map (h, w, C) of numbers of any type at (P, 2); only the rows that are used are converted."""
    matrix = bilinear_matrix(where, *image.shape[:2])
    rows, index = np.unique(matrix.indices, return_inverse=True)
    values = image.reshape(-1, image.shape[2])[rows].astype(np.float32)
    small = scipy.sparse.csr_matrix((matrix.data, index.reshape(-1), matrix.indptr), (len(where), len(rows)))
    return np.asarray(small @ values)


def bilinear_matrix(where: NDArray, height: int, width: int) -> scipy.sparse.csr_matrix:
    """Sparse (P, height · width) that samples a row-major map at (P, 2) shares of its width and height.

    Values live at the centres of cells; beyond the outermost centres the border is repeated.
    """
    x = np.clip(where[:, 0] * width - 0.5, 0, width - 1)
    y = np.clip(where[:, 1] * height - 0.5, 0, height - 1)
    left = np.minimum(x.astype(np.int64), max(width - 2, 0))
    top = np.minimum(y.astype(np.int64), max(height - 2, 0))
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    u, v = x - left, y - top
    columns = np.stack([top * width + left, top * width + right, bottom * width + left, bottom * width + right], axis=1)
    values = np.stack([(1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v], axis=1).astype(np.float32)
    pointers = np.arange(0, 4 * len(where) + 1, 4)
    return scipy.sparse.csr_matrix((values.reshape(-1), columns.reshape(-1), pointers), (len(where), height * width))
