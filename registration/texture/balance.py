"""Colour balance between views, and the weights by which they are blended.

Views are brought to one exposure and white balance first. Then seams are blended in two bands (Burt and Adelson, "A
multiresolution spline with application to image mosaics", 1983): what is coarse, as the mean of all views, and what is
fine, from the best view of each place. The coarse band is smoothed over the surface, among the vertices that a view
shows, so that no background and no occluder bleeds into it, and charts of the texture have no seams.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture.srgb import from_linear, to_linear
from registration.texture.surface import TexturedSurface
from registration.texture.views import Seen

Floats = NDArray[np.float64]

_SHARP = 8.0  # power of the weights that the fine band goes by
_LEAST_SHARE = 0.03  # of the best view's weight; views below it have no part in the fine band
_COARSE_M = 0.008  # standard deviation of the smoothing that parts the bands
_DARK, _BRIGHT = 8, 247  # bytes beyond which ratios tell no exposure
_FEWEST = 50  # vertices that two views have to share
_MOST_GAIN = 4.0

_BYTES = np.arange(256) / 255


@dataclass(frozen=True, eq=False)
class Blend:
    """Blend of N views on a surface of n vertices.

    Attributes:
        gains: (N, 3) factors of each view's linear colours.
        fine: (n, N) shares of the views; they add up to 1 where `seen`, and to 0 elsewhere.
        coarse: (n, 3) sRGB in bytes' range, to be added to the mean of the views by those shares.
        colours: (n, 3) mean of all views, smoothed.
        seen: (n,) whether any view shows the vertex.
    """

    gains: Floats
    fine: NDArray[np.float32]
    coarse: NDArray[np.float32]
    colours: NDArray[np.float32]
    seen: NDArray[np.bool_]


def corrected_table(gain: Floats) -> NDArray[np.float32]:
    """(256, 3) what the bytes of an image become whose linear colours are multiplied by gains (3,)."""
    return (255 * from_linear(to_linear(_BYTES)[:, None] * gain)).astype(np.float32)


def blend_of(surface: TexturedSurface, seen: Seen) -> Blend:
    """The blend of what the views show of a surface."""
    gains = view_gains(seen)
    total = seen.weights.sum(axis=1)
    shown = total > 0
    wide = seen.weights / np.where(shown, total, 1)[:, None]
    fine = _sharpened(seen.weights)
    mean, chosen = np.zeros((len(total), 3), np.float32), np.zeros((len(total), 3), np.float32)
    for i, gain in enumerate(gains):
        mask = seen.weights[:, i] > 0
        if not mask.any():
            continue
        values = np.stack([corrected_table(gain)[seen.colours[:, i, k], k] for k in range(3)], axis=1)
        smooth = _smoothed(surface, values, mask)
        mean += wide[:, i : i + 1] * smooth
        chosen += fine[:, i : i + 1] * smooth
    return Blend(gains, fine, mean - chosen, mean, shown)


def view_gains(seen: Seen) -> Floats:
    """(N, 3) factors that bring the views' linear colours together, 1 in the mean over the views.

    The median ratio between each two views on what both show well, reconciled by least squares of logarithms.
    """
    count = seen.weights.shape[1]
    best = seen.weights.max(axis=1, keepdims=True)
    well = (seen.weights > 0.4 * best) & (seen.weights > 0)
    well &= ((seen.colours > _DARK) & (seen.colours < _BRIGHT)).all(axis=2)
    logs = np.log(np.maximum(to_linear(_BYTES), 1e-6))
    system, right = np.zeros((count, count)), np.zeros((count, 3))
    for i in range(count):
        for j in range(i + 1, count):
            both = np.flatnonzero(well[:, i] & well[:, j])
            if len(both) < _FEWEST:
                continue
            ratio = np.median(logs[seen.colours[both, j]] - logs[seen.colours[both, i]], axis=0)
            weight = float(len(both))
            system[i, i] += weight
            system[j, j] += weight
            system[i, j] -= weight
            system[j, i] -= weight
            right[i] += weight * ratio
            right[j] -= weight * ratio
    system += 1e-3 * max(1.0, float(np.trace(system)) / count) * np.eye(count)  # views that share nothing stay
    gains = np.linalg.solve(system, right)
    return np.exp(np.clip(gains - gains.mean(axis=0), -np.log(_MOST_GAIN), np.log(_MOST_GAIN)))


def _sharpened(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, N) shares that favour the best view, without those of views that would add next to nothing."""
    best = weights.max(axis=1, keepdims=True)
    shares = (weights / np.where(best > 0, best, 1)) ** np.float32(_SHARP)
    shares = np.maximum(shares - np.float32(_LEAST_SHARE), 0)
    total = shares.sum(axis=1, keepdims=True)
    return np.asarray(shares / np.where(total > 0, total, 1), np.float32)


def _smoothed(surface: TexturedSurface, values: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(n, 3) values smoothed over the surface among the vertices in the mask (n,); 0 elsewhere.

    Repeated means over neighbours: a step's variance is about half an edge squared in each direction.
    """
    index = np.flatnonzero(mask)
    near = surface.neighbours[index][:, index]
    near = near.multiply(1 / np.asarray(near.sum(axis=1))).tocsr().astype(np.float32)
    result = values[index]
    for _ in range(max(1, round(2 * (_COARSE_M / surface.edge) ** 2))):
        result = near @ result
    smooth = np.zeros_like(values)
    smooth[index] = result
    return smooth
