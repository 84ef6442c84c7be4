"""Lashes: strands along the lid lines."""

from __future__ import annotations

import numpy as np

from capture.geometry import Floats, unit
from generator.components.lashes import LashSpec
from generator.hair.strands import Strands, taper
from generator.head import HeadGeometry
from generator.streams import detail_stream


def grow_lashes(spec: LashSpec, head: HeadGeometry) -> Strands:
    """Lashes along the lid lines, curving away from the eyeball."""
    lids = []
    for name, line in head.chains.items():
        if not name.startswith("lash_"):
            continue
        upper = "upper" in name
        rng = detail_stream(spec.seed, name)
        count = spec.strands if upper else spec.strands // 2
        length = spec.length_mm / 1000 * (1.0 if upper else 0.55)
        lids.append(_lashes(line, _eye_centre(head, line), count, length, spec.curl if upper else 0.2, upper, rng))
    points = np.concatenate(lids) if lids else np.zeros((0, 7, 3))
    rng = detail_stream(spec.seed, "lash look")
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
