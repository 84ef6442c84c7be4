"""Short hair: buzz cuts, and hair that is combed forward, to a side or back (crop, balding, side part, slicked)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from capture.geometry import Floats, unit
from generator.components.hair import HairSpec
from generator.hair.grooming import choose_guides, edges, fill, finish, grow_guides, stretch, trim
from generator.hair.growth import Comb, Growth, frizz, grow
from generator.hair.obstacle import Obstacle
from generator.hair.skull import Skull, beside_parting, whorl_flow
from generator.hair.strands import Roots, smoothstep
from generator.head import HeadGeometry


def buzz(
    spec: HairSpec, roots: Roots, skull: Skull, head: HeadGeometry, obstacle: Obstacle, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """A few millimetres everywhere, shorter at the sides."""
    height = smoothstep(roots.base[:, 2], -0.04, 0.06)
    length = spec.length_mm / 1000 * (0.5 + 0.5 * height) * (0.8 + 0.2 * rng.random(len(roots)))
    growth = Growth(lift=0.7, comb=0.2, gravity=0.0)
    points = grow(roots, length, np.full(len(roots), 0.001), 4, lambda p, a: whorl_flow(p, a, skull), obstacle, growth)
    return frizz(points, 0.0002 + 0.0005 * spec.frizz, rng), rng.random(len(roots))


def combed(
    spec: HairSpec, roots: Roots, skull: Skull, head: HeadGeometry, obstacle: Obstacle, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Short hair: forward from the whorl (crop, balding), to the side (side part) or back (slicked)."""
    top = smoothstep(roots.base[:, 2], 0.015, 0.075)
    near = 0.75 if spec.family == "slicked" else 0.3 if spec.family in ("crop", "side_part") else 0.7
    if spec.family == "side_part":  # never in the middle
        spec = replace(spec, parting=float(np.copysign(0.4 + 0.5 * abs(spec.parting), spec.parting)))
    some = choose_guides(roots, rng)
    guide = roots.keep(some)
    parted = spec.family == "side_part"
    side = np.sign(beside_parting(guide.points, skull, spec.parting)) if parted else np.zeros(len(some))
    comb = _direction(spec, skull, np.tile(side, 2))
    flat = {"crop": 0.45, "slicked": 0.22, "side_part": 0.34, "balding": 0.3}[spec.family]
    growth = Growth(lift=flat, comb=0.7, gravity=0.06, cohesion=0.7)
    length = spec.length_mm / 1000 / stretch(spec) * (near + (1 - near) * top)
    guides = grow_guides(guide, side, length[some], spec.volume_mm / 1000, 14, comb, obstacle, growth)
    offset = beside_parting(roots.points, skull, spec.parting) + 0.0025 * rng.standard_normal(len(roots))
    every = np.sign(offset) if parted else np.zeros(len(roots))
    depth = rng.random(len(roots)) ** 0.8
    points = fill(guides, roots, every, depth)
    steps = 1 - (0.15 + 0.5 * spec.layered) * rng.random(len(roots)) * (0.4 + 0.6 * depth)
    return finish(trim(points, steps * edges(roots)), spec, obstacle, rng, 12, 0.05 * spec.length_mm / 1000 + 0.001)


def _direction(spec: HairSpec, skull: Skull, side: Floats) -> Comb:
    crown = float(skull.middle[2]) + skull.size[2] * np.array([0.15, 0.75])

    def comb(points: Floats, away: Floats) -> Floats:
        high = smoothstep(points[:, 2], *crown)[:, None]
        flow = whorl_flow(points, away, skull)
        if spec.family == "slicked":
            back = np.stack([0.1 * np.sign(points[:, 0]), np.ones(len(points)), np.full(len(points), -0.12)], axis=1)
            return unit(unit(back + np.array([0, 0, -0.7]) * (1 - high)))
        down = unit(flow + np.array([0.0, 0.25, -1.1 if spec.family == "side_part" else -0.5]))
        if spec.family == "side_part":
            across = np.stack([side, np.full(len(points), -0.15), np.zeros(len(points))], axis=1)
            return unit(down * (1 - high) + across * high)
        lean = np.array([0.5 * spec.parting, -0.55, 0.0])
        return unit(down * (1 - high) + (flow + lean) * high)

    return comb
