"""Lifting: maps over images become features at points of a scan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scans.visibility import Views
from training.compiled import compiled

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
    return np.concatenate([rows.copy() for _, rows in lift_parts(maps, views, fusion)])


def lift_parts(maps: Sequence[NDArray], views: Views, fusion: Fusion) -> Iterator[tuple[slice, Floats]]:
    """`lift`, some points at a time: their slice and their rows, in an array that is filled anew with each."""
    if not len(maps):
        raise ValueError("no maps given")
    weights = fusion_weights(views, fusion).astype(np.float32)
    channels, points = maps[0].shape[2], weights.shape[1]
    table: NDArray = np.concatenate([image.reshape(-1, channels) for image in maps], dtype=_kind(maps))
    sizes = np.array([image.shape[:2] for image in maps], np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes.prod(axis=1))])
    some = np.empty((_CHUNK, channels * (2 if fusion.endswith("variance") else 1)), np.float32)
    for first in range(0, max(points, 1), _CHUNK):
        part = slice(first, min(first + _CHUNK, points))
        rows = some[: part.stop - first]
        _lift(table, starts, sizes, views.where[:, part], weights[:, part], channels, rows)
        yield part, rows


def _kind(maps: Sequence[NDArray]) -> type:
    """The type in which maps are sampled: bytes as they are, all else, half precision too, in single precision."""
    return np.uint8 if maps[0].dtype == np.uint8 else np.float32


@compiled
def _add_sample(corners, shares, weight, sample, mean):  # type: ignore[no-untyped-def]
    """Fill a sample (C,) from four rows, and add it to the mean; a function of its own, as it is vectorised then."""
    first, second, third, fourth = corners
    a, b, c, d = shares
    for k in range(len(mean)):
        value = a * first[k] + b * second[k] + c * third[k] + d * fourth[k]
        sample[k] = value
        mean[k] += weight * value


@compiled
def _add_square(sample, mean, weight, variance):  # type: ignore[no-untyped-def]
    for k in range(len(mean)):
        change = sample[k] - mean[k]
        variance[k] += weight * change * change


@compiled
def _lift(table, starts, sizes, where, weights, channels, result):  # type: ignore[no-untyped-def]
    """Fill (P, C) or (P, 2 C) from the rows of all maps, one behind the other, point by point.

    Values live at the centres of pixels; beyond the outermost centres the border is repeated. The samples of a point in
    all views stay in the processor's cache between mean and variance.
    """
    views, points = weights.shape
    samples = np.empty((views, channels), np.float32)
    for p in range(points):
        mean = result[p, :channels]
        mean[:] = 0
        for i in range(views):
            weight = weights[i, p]
            if weight == 0:
                continue
            height, width = sizes[i, 0], sizes[i, 1]
            x = min(max(where[i, p, 0] * width - 0.5, 0.0), width - 1.0)
            y = min(max(where[i, p, 1] * height - 0.5, 0.0), height - 1.0)
            left, top = min(int(x), max(width - 2, 0)), min(int(y), max(height - 2, 0))
            right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
            u, v = x - left, y - top
            a, b = np.float32((1 - u) * (1 - v)), np.float32(u * (1 - v))
            c, d = np.float32((1 - u) * v), np.float32(u * v)
            upper, lower = starts[i] + top * width, starts[i] + bottom * width
            corners = table[upper + left], table[upper + right], table[lower + left], table[lower + right]
            _add_sample(corners, (a, b, c, d), weight, samples[i], mean)
        if result.shape[1] > channels:
            variance = result[p, channels:]
            variance[:] = 0
            for i in range(views):
                weight = weights[i, p]
                if weight != 0:
                    _add_square(samples[i], mean, weight, variance)
