"""Beards and moustaches."""

from __future__ import annotations

import numpy as np

from capture.geometry import Floats, unit
from generator.components.beard import BeardSpec
from generator.hair.grooming import gather
from generator.hair.growth import Growth, curl, frizz, grow, settle
from generator.hair.obstacle import Obstacle
from generator.hair.strands import Roots, Strands, scatter, smoothstep, taper
from generator.head import HeadGeometry
from generator.streams import detail_stream


def grow_beard(spec: BeardSpec, head: HeadGeometry, obstacle: Obstacle) -> Strands | None:
    """The facial hair of a spec, or None without any."""
    if spec.family == "none" or spec.strands == 0:
        return None
    rng = detail_stream(spec.seed, "beard")
    roots = scatter(head.skin, beard_density(spec, head), spec.strands, rng)
    count = len(roots)
    if count == 0:
        return None
    lip = _on_lip(roots)
    length = _lengths(spec, roots, lip, rng)
    steps = 4 if spec.length_mm < 5 else 10 if spec.length_mm < 16 else 18
    layer = 0.0010 + np.minimum(0.35 * length, 0.014) * rng.random(count)
    growth = Growth(lift=0.45, comb=0.25, gravity=0.04)
    combed = _combing(spec, roots, lip)
    points = grow(roots, length, layer, steps, lambda points, away: combed, obstacle, growth)
    tone = rng.random(count)
    if spec.length_mm > 4:
        points, lock = gather(points, 0.75 * spec.clump, 14, rng)
        points = frizz(points, (0.03 + 0.06 * spec.frizz) * spec.length_mm / 1000 + 0.0006, rng)
        turns = 50 + 50 * rng.random(count)
        phase = 2 * np.pi * (rng.random(int(lock.max()) + 1)[lock] + 0.25 * rng.random(count))
        points = curl(points, np.full(count, spec.curl_mm / 1000), turns, phase)
        points = settle(points, obstacle, 0.0009)
        tone = 0.6 * rng.random(int(lock.max()) + 1)[lock] + 0.4 * tone
    return Strands(points, taper(count, steps, spec.radius_mm / 1000, 0.3, rng), rng.random(count), tone)


def _on_lip(roots: Roots) -> Floats:
    """(S,) 1 on the upper lip, 0 elsewhere."""
    x, z = np.abs(roots.base[:, 0]), roots.base[:, 2]
    return np.asarray(smoothstep(z, -0.080, -0.070) * (1 - smoothstep(x, 0.031, 0.036)))


def _lengths(spec: BeardSpec, roots: Roots, lip: Floats, rng: np.random.Generator) -> Floats:
    """(S,) metres: longest at the chin, short on throat and cheeks; a moustache ends above the mouth."""
    x, y, z = np.abs(roots.base[:, 0]), roots.base[:, 1], roots.base[:, 2]
    size = spec.length_mm / 1000
    uneven = 0.65 + 0.35 * rng.random(len(roots))
    if spec.length_mm < 4:
        return np.asarray(size * uneven)
    chin = smoothstep(-z, 0.05, 0.11) * smoothstep(0.05 - y, 0.0, 0.06)
    under = smoothstep(-z, 0.105, 0.125)
    length = size * (0.4 + 0.6 * chin) * (1 - 0.5 * under) * (0.45 + 0.55 * smoothstep(roots.mask, 0.1, 0.9))
    beside = smoothstep(x, 0.006, 0.026)
    most = {
        "natural": 0.007 + 0.005 * beside,
        "pencil": 0.0035 + 0 * x,
        "handlebar": 0.010 + 0.016 * beside,
        "horseshoe": 0.008 + 0.006 * beside,
    }[spec.moustache]
    least = size if spec.family != "moustache" else np.maximum(size, most * (spec.moustache == "handlebar"))
    return np.asarray((length * (1 - lip) + np.minimum(least, most) * lip) * uneven)


def _combing(spec: BeardSpec, roots: Roots, lip: Floats) -> Floats:
    """(S, 3) directions: down and a little out; on the upper lip to the sides, of a handlebar up again."""
    count = len(roots)
    x, z = roots.base[:, 0], roots.base[:, 2]
    chin = smoothstep(-z, 0.05, 0.11)
    side = np.sign(x) * smoothstep(np.abs(x), 0.0, 0.012)
    away = {"natural": 0.9, "pencil": 1.4, "handlebar": 3.0, "horseshoe": 0.9}[spec.moustache]
    rise = 1.15 * smoothstep(np.abs(x), 0.014, 0.026) * (spec.moustache == "handlebar")
    return unit(np.stack([side * (0.12 + away * lip), 0.12 - 0.15 * chin, -np.ones(count) + rise * lip], axis=1))


def beard_density(spec: BeardSpec, head: HeadGeometry) -> Floats:
    """(V,) share of the full density."""
    masks, base = head.skin.masks, head.skin.base
    low = min(max(0.3 - 0.05 * spec.line_mm, 0.05), 0.6)
    beard, lip = smoothstep(masks["beard"], low, low + 0.65), smoothstep(masks["moustache"], 0.3, 1.0)
    x, y, z = np.abs(base[:, 0]), base[:, 1], base[:, 2]
    if spec.moustache == "pencil":
        edge = np.interp(x, [0.0, 0.020, 0.034], [-0.064, -0.068, -0.078])
        lip = lip * (1 - smoothstep(z - edge, 0.004, 0.006)) * smoothstep(x, 0.001, 0.003)
    if spec.family == "stubble":
        lip = 0.8 * lip
    if spec.family == "moustache":
        strips = beard * smoothstep(x, 0.020, 0.024) * (1 - smoothstep(x, 0.034, 0.040)) * smoothstep(z, -0.112, -0.106)
        return np.maximum(lip, strips * (1 - smoothstep(y, -0.01, 0.0))) if spec.moustache == "horseshoe" else lip
    if spec.family == "goatee":
        chin = beard * smoothstep(0.036 - x, 0.0, 0.008) * smoothstep(-z, 0.066, 0.078)
        return np.maximum(lip, chin * smoothstep(0.02 - y, 0.0, 0.015))
    if spec.family == "chops":
        return np.asarray(beard * smoothstep(y, -0.006, 0.006) * smoothstep(x, 0.032, 0.042))
    return np.maximum(beard, lip)
