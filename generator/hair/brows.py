"""Brows: strands along the arch of each."""

from __future__ import annotations

import numpy as np

from capture.geometry import Floats, unit
from generator.components.brows import BrowSpec
from generator.hair.strands import Roots, Strands, scatter, smoothstep, taper
from generator.head import HeadGeometry
from generator.streams import detail_stream


def grow_brows(spec: BrowSpec, head: HeadGeometry) -> Strands:
    """Both brows: upright near the nose, then along the arch, from above and below towards its middle."""
    sides, root = [], 0.000042 + 0.000014 * spec.thickness
    for side, sign in (("left", 1.0), ("right", -1.0)):
        rng = detail_stream(spec.seed, f"brow {side}")
        mask = head.skin.masks[f"brow_{side}"]
        density = smoothstep(mask, 0.62 - 0.6 * spec.thickness, 1.25 - 0.25 * spec.thickness)
        placed = scatter(head.skin, density, spec.strands, rng)
        if len(placed):
            sides.append(_brow(spec, placed, sign, rng))
    points = np.concatenate(sides) if sides else np.zeros((0, 8, 3))
    rng = detail_stream(spec.seed, "brow look")
    return Strands(points, taper(len(points), points.shape[1], root, 0.15, rng), rng.random(len(points)))


def _brow(spec: BrowSpec, roots: Roots, sign: float, rng: np.random.Generator) -> Floats:
    """Hairs of one brow, bent along the brow ridge."""
    count = len(roots)
    x = roots.base[:, 0] * sign
    along = np.clip((x - x.min()) / max(float(np.ptp(x)), 1e-6), 0, 1)
    knots = np.linspace(0.05, 0.95, 7)
    arch = _running_mean(along, roots.base[:, 2], 7)
    above = np.clip((roots.base[:, 2] - np.interp(along, knots, arch)) / 0.003, -1.2, 1.2)
    slope = np.interp(along, knots, np.gradient(arch, knots * max(float(np.ptp(x)), 1e-6)))
    rise = slope + 1.7 * (1 - smoothstep(along, 0.0, 0.30)) - 0.55 * above * smoothstep(along, 0.08, 0.3)
    direction = np.stack([sign * np.ones(count), np.zeros(count), rise], axis=1)
    direction = unit(direction) + (0.08 + 0.32 * spec.unruly) * rng.standard_normal((count, 3))
    flat = unit(direction - (direction * roots.normals).sum(1, keepdims=True) * roots.normals)
    length = spec.length_mm / 1000 * (0.5 + 0.5 * rng.random(count)) * (1 - 0.3 * along)
    t = np.linspace(0, 1, 8)[None, :, None]
    reach = length[:, None, None] * t
    stand = 0.16 + 0.2 * rng.random((count, 1, 1))
    height = stand * reach - reach**2 / (2 * 0.022) * 0.75
    droop = np.array([0, 0, -1.0]) * (0.12 * reach * t * (along[:, None, None] - 0.2))
    return (
        roots.points[:, None] + flat[:, None] * reach + droop + roots.normals[:, None] * np.maximum(height, 0.0004 * t)
    )


def _running_mean(at: Floats, values: Floats, bins: int) -> Floats:
    """(bins,) mean of values per tenth of `at`; a bin without any gets the overall mean."""
    index = np.minimum((at * bins).astype(int), bins - 1)
    count = np.bincount(index, minlength=bins)
    total = np.bincount(index, values, minlength=bins)
    return np.where(count > 0, total / np.maximum(count, 1), values.mean())
