"""Brows, lashes and beards."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generator.components.facial_hair import BeardSpec, BrowSpec, LashSpec
from generator.hair.growth import Growth, Obstacle, clump, curl, frizz, grow, settle
from generator.hair.strands import Roots, Strands, generator_for, scatter, smoothstep, taper, unit
from generator.head import HeadGeometry

Floats = NDArray[np.float64]


def grow_brows(spec: BrowSpec, head: HeadGeometry) -> Strands:
    """Both brows: upright near the nose, then sweeping outwards."""
    pieces = []
    for side, sign in (("left", 1.0), ("right", -1.0)):
        rng = generator_for(spec.seed, f"brow {side}")
        mask = head.skin.masks[f"brow_{side}"]
        density = smoothstep(mask, 0.75 - 0.6 * spec.thickness, 1.0)
        roots = scatter(head.skin, density, spec.strands, rng)
        if len(roots):
            pieces.append(_brow(spec, roots, sign, rng))
    points = np.concatenate(pieces) if pieces else np.zeros((0, 8, 3))
    rng = generator_for(spec.seed, "brow look")
    return Strands(points, taper(len(points), points.shape[1], 0.000065, 0.12, rng), rng.random(len(points)))


def _brow(spec: BrowSpec, roots: Roots, sign: float, rng: np.random.Generator) -> Floats:
    """Hairs of one brow, bent along the brow ridge."""
    count = len(roots)
    x = roots.base[:, 0] * sign
    along = np.clip((x - x.min()) / max(float(np.ptp(x)), 1e-6), 0, 1)
    middle = np.interp(along, np.linspace(0.05, 0.95, 7), _running_mean(along, roots.base[:, 2], 7))
    above = np.clip((roots.base[:, 2] - middle) / 0.003, -1, 1)
    rise = 1.25 * (1 - smoothstep(along, 0.0, 0.35)) - 0.42 * smoothstep(along, 0.45, 1.0) - 0.35 * above + 0.12
    wish = np.stack([sign * np.ones(count), np.zeros(count), rise], axis=1) + 0.18 * rng.standard_normal((count, 3))
    flat = unit(wish - (wish * roots.normals).sum(1, keepdims=True) * roots.normals)
    length = spec.length_mm / 1000 * (0.65 + 0.5 * rng.random(count)) * (1 - 0.35 * along)
    t = np.linspace(0, 1, 8)[None, :, None]
    reach = length[:, None, None] * t
    height = 0.22 * reach - reach**2 / (2 * 0.022) * 0.75
    return roots.points[:, None] + flat[:, None] * reach + roots.normals[:, None] * np.maximum(height, 0.0003 * t)


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
        pieces.append(_lashes(line, _eye_centre(head, line), count, length, upper, rng))
    points = np.concatenate(pieces) if pieces else np.zeros((0, 7, 3))
    rng = generator_for(spec.seed, "lash look")
    return Strands(points, taper(len(points), points.shape[1], 0.00007, 0.1, rng), rng.random(len(points)))


def _eye_centre(head: HeadGeometry, line: Floats) -> Floats:
    eyes = head.parts["eyes"].vertices if "eyes" in head.parts else line
    same = eyes[np.sign(eyes[:, 0] - head.centre[0]) == np.sign(line[:, 0].mean() - head.centre[0])]
    return np.asarray((same if len(same) else eyes).mean(axis=0))


def _lashes(
    line: Floats, eye: Floats, count: int, length: float, upper: bool, rng: np.random.Generator
) -> Floats:
    u = np.sort((np.arange(count) + rng.random(count)) / count)
    knots = np.linspace(0, 1, len(line))
    root = np.stack([np.interp(u, knots, line[:, axis]) for axis in range(3)], axis=1)
    out = unit(root - eye)
    up = np.array([0.0, 0.0, 1.0 if upper else -1.0])
    first = unit(out * 1.0 + np.array([0, -0.5, 0]) + up * (-0.1 if upper else 0.25)
                 + 0.10 * rng.standard_normal((count, 3)))  # fmt: skip
    size = length * (0.45 + 0.55 * np.sin(np.pi * np.clip(0.1 + 0.85 * u, 0, 1))) * (0.75 + 0.35 * rng.random(count))
    t = np.linspace(0, 1, 7)[None, :, None]
    bend = (0.55 if upper else 0.2) * t**2
    return root[:, None] + size[:, None, None] * (first[:, None] * t + up * bend)


def grow_beard(spec: BeardSpec, head: HeadGeometry, obstacle: Obstacle) -> Strands | None:
    """The facial hair of a spec, or None without any."""
    if spec.family == "none" or spec.strands == 0:
        return None
    rng = generator_for(spec.seed, "beard")
    roots = scatter(head.skin, beard_density(spec.family, head), spec.strands, rng)
    count = len(roots)
    if count == 0:
        return None
    chin = smoothstep(-roots.base[:, 2], 0.05, 0.11) * smoothstep(0.05 - roots.base[:, 1], 0.0, 0.06)
    under = smoothstep(-roots.base[:, 2], 0.105, 0.125)
    share = (0.45 + 0.55 * chin) * (1 - 0.5 * under) if spec.length_mm > 5 else np.ones(count)
    lip = roots.base[:, 2] > -0.075
    length = spec.length_mm / 1000 * share * (0.7 + 0.4 * rng.random(count))
    length = np.where(lip & (np.abs(roots.base[:, 0]) < 0.03), np.minimum(length, 0.011), length)
    side = np.sign(roots.base[:, 0]) * smoothstep(np.abs(roots.base[:, 0]), 0.0, 0.02)
    moustache = smoothstep(roots.base[:, 2], -0.078, -0.066) * (np.abs(roots.base[:, 0]) < 0.035)

    def comb(points: Floats, away: Floats) -> Floats:
        return unit(np.stack([side * (0.12 + 1.1 * moustache), 0.12 - 0.15 * chin, -np.ones(count)], axis=1))

    steps = 4 if spec.length_mm < 5 else 8 if spec.length_mm < 16 else 16
    layer = 0.0010 + np.minimum(0.30 * length, 0.012) * rng.random(count)
    how = Growth(lift=0.45, comb=0.25, gravity=0.04)
    points = grow(roots, length, layer, steps, comb, obstacle, how)
    if spec.length_mm > 5:
        points, _ = clump(points, 0.6 * spec.clump, 500, rng)
        points = frizz(points, 0.05 * spec.length_mm / 1000 + 0.0008, rng)
        turns = 60 + 60 * rng.random(count)
        points = curl(points, np.full(count, spec.curl_mm / 1000), turns, 2 * np.pi * rng.random(count))
        points = settle(points, obstacle, 0.0009)
    return Strands(points, taper(count, steps, spec.radius_mm / 1000, 0.3, rng), rng.random(count))


def beard_density(family: str, head: HeadGeometry) -> Floats:
    """(V,) share of the full density."""
    masks, base = head.skin.masks, head.skin.base
    beard, moustache = smoothstep(masks["beard"], 0.3, 1.0), smoothstep(masks["moustache"], 0.3, 1.0)
    side = np.abs(base[:, 0])
    if family == "moustache":
        return moustache
    if family == "goatee":
        chin = beard * smoothstep(0.036 - side, 0.0, 0.008) * smoothstep(-base[:, 2], 0.066, 0.078)
        return np.maximum(moustache, chin * smoothstep(0.02 - base[:, 1], 0.0, 0.015))
    return np.maximum(beard, moustache)
