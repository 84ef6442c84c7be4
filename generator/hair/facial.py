"""Brows and lashes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generator.components.facial_hair import BrowSpec, LashSpec
from generator.hair.strands import Roots, Strands, generator_for, scatter, smoothstep, taper, unit
from generator.head import HeadGeometry

Floats = NDArray[np.float64]


def grow_brows(spec: BrowSpec, head: HeadGeometry) -> Strands:
    """Both brows: upright near the nose, then along the arch, from above and below towards its middle."""
    pieces, roots = [], 0.000042 + 0.000014 * spec.thickness
    for side, sign in (("left", 1.0), ("right", -1.0)):
        rng = generator_for(spec.seed, f"brow {side}")
        mask = head.skin.masks[f"brow_{side}"]
        density = smoothstep(mask, 0.62 - 0.6 * spec.thickness, 1.25 - 0.25 * spec.thickness)
        found = scatter(head.skin, density, spec.strands, rng)
        if len(found):
            pieces.append(_brow(spec, found, sign, rng))
    points = np.concatenate(pieces) if pieces else np.zeros((0, 8, 3))
    rng = generator_for(spec.seed, "brow look")
    return Strands(points, taper(len(points), points.shape[1], roots, 0.15, rng), rng.random(len(points)))


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
    override = np.stack([sign * np.ones(count), np.zeros(count), rise], axis=1)
    override = unit(override) + (0.08 + 0.32 * spec.unruly) * rng.standard_normal((count, 3))
    flat = unit(override - (override * roots.normals).sum(1, keepdims=True) * roots.normals)
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


def grow_lashes(spec: LashSpec, head: HeadGeometry) -> Strands:
    """Lashes along the lid lines, curving away from the eyeball."""
    pieces = []
    for name, line in head.chains.items():
        if not name.startswith("lash_"):
            continue
        upper = "upper" in name
        rng = generator_for(spec.seed, name)
        count = spec.strands if upper else spec.strands // 2
        length = spec.length_mm / 1000 * (1.0 if upper else 0.55)
        pieces.append(_lashes(line, _eye_centre(head, line), count, length, spec.curl if upper else 0.2, upper, rng))
    points = np.concatenate(pieces) if pieces else np.zeros((0, 7, 3))
    rng = generator_for(spec.seed, "lash look")
    return Strands(points, taper(len(points), points.shape[1], 0.000055, 0.08, rng), rng.random(len(points)))


def _eye_centre(head: HeadGeometry, line: Floats) -> Floats:
    eyes = head.parts["eyes"].vertices if "eyes" in head.parts else line
    same = eyes[np.sign(eyes[:, 0] - head.centre[0]) == np.sign(line[:, 0].mean() - head.centre[0])]
    return np.asarray((same if len(same) else eyes).mean(axis=0))


def _lashes(
    line: Floats, eye: Floats, count: int, length: float, curled: float, upper: bool, rng: np.random.Generator
) -> Floats:
    u = np.sort((np.arange(count) + rng.random(count)) / count)
    tufts = max(count // 3, 1)  # lashes stick together in twos and threes
    u += 0.6 * (np.rint(u * tufts) / tufts - u) * rng.random(count)
    knots = np.linspace(0, 1, len(line))
    root = np.stack([np.interp(u, knots, line[:, axis]) for axis in range(3)], axis=1)
    out = unit(root - eye)
    up = np.array([0.0, 0.0, 1.0 if upper else -1.0])
    first = unit(
        out * 1.0 + np.array([0, -0.5, 0]) + up * (-0.1 if upper else 0.25) + 0.10 * rng.standard_normal((count, 3))
    )
    size = length * (0.45 + 0.55 * np.sin(np.pi * np.clip(0.1 + 0.85 * u, 0, 1))) * (0.75 + 0.35 * rng.random(count))
    t = np.linspace(0, 1, 7)[None, :, None]
    bend = (0.15 + 0.75 * curled) * t**2
    return root[:, None] + size[:, None, None] * (first[:, None] * t + up * bend)
