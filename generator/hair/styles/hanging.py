"""Hair that parts on top and hangs: bob, long straight, long wavy, fringe."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from capture.geometry import Floats, unit
from generator.components.hair import HairSpec
from generator.hair.grooming import GUIDES, choose_guides, cut, fill, finish, grow_guides, stretch, trim
from generator.hair.growth import Comb, Growth
from generator.hair.obstacle import Obstacle
from generator.hair.skull import Skull, beside_parting, face_shield, fringe_region
from generator.hair.strands import Roots, smoothstep
from generator.head import HeadGeometry


def hanging(
    spec: HairSpec, roots: Roots, skull: Skull, head: HeadGeometry, obstacle: Obstacle, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Hair that parts on top, runs around the face and hangs; a bob is cut level, a fringe above the eyes."""
    parting = 0.6 * spec.parting
    # The parting is a soft zigzag, and hair is thrown over from both sides of it: no wide strip of scalp.
    offset = beside_parting(roots.points, skull, parting) + 0.0015 * np.sin(roots.points[:, 1] / 0.004)
    offset += 0.002 * rng.standard_normal(len(roots))
    side = np.where(offset > 0, 1.0, -1.0)
    front = fringe_region(roots.base) & (spec.family == "fringe")
    steps = 34
    points = np.zeros((len(roots), steps, 3))
    for bangs in (False, True):
        mine = np.flatnonzero(front == bangs)
        if not len(mine):
            continue
        own = roots.keep(mine)
        sides = np.zeros(len(mine)) if bangs else side[mine]
        some = choose_guides(own, rng, 160 if bangs else GUIDES)
        comb = _forward() if bangs else _around_face(skull, np.tile(sides[some], 2))
        length = 0.13 if bangs else spec.length_mm / 1000 / stretch(spec)
        growth = Growth(lift=0.22, comb=0.55, gravity=0.2 if bangs else 0.25, cohesion=0.8)
        clear = obstacle if bangs else replace(obstacle, shield=face_shield(head))
        guides = grow_guides(
            own.keep(some),
            sides[some],
            np.full(len(some), length),
            (0.35 if bangs else 1.0) * spec.volume_mm / 1000,
            steps,
            comb,
            clear,
            growth,
        )
        points[mine] = fill(guides, own, sides, rng.random(len(mine)) ** 0.8)
    share = 1 - (0.08 + 0.5 * spec.layered) * rng.random(len(roots)) ** 1.5
    points = trim(points, np.where(front, 1.0, share))
    if spec.family == "fringe":
        brow = float(head.landmarks["left_eye_outer"][2]) + 0.016 + 0.0035 * rng.standard_normal(len(roots))
        points = cut(points, brow, front)
    if spec.family == "bob":
        level = float(head.landmarks["chin"][2]) + (spec.length_mm - 240) / 1000 * 0.6
        points = cut(points, level + 0.004 * rng.standard_normal(len(roots)))
    return finish(points, spec, obstacle, rng, 16, 0.006)


def _forward() -> Comb:
    def comb(points: Floats, away: Floats) -> Floats:
        return unit(np.stack([0.25 * points[:, 0] / 0.06, np.full(len(points), -0.8), np.full(len(points), -0.7)], 1))

    return comb


def _around_face(skull: Skull, side: Floats) -> Comb:
    low, high = (float(skull.middle[2] + share * skull.size[2]) for share in (-0.1, 0.8))
    middle, size = float(skull.middle[1]), float(skull.size[1])

    def comb(points: Floats, away: Floats) -> Floats:
        up = smoothstep(points[:, 2], low, high)[:, None]
        behind = smoothstep(points[:, 1], middle, middle + 0.8 * size)
        ones = np.ones(len(points))
        lateral = np.stack([side * (1 - behind), 0.45 + 0.55 * behind, -0.25 * ones], axis=1)
        forward = smoothstep(-points[:, 1], -0.02, 0.03)  # from the temples back over the ears
        fall = np.stack([0.02 * side, 0.05 + 0.45 * forward, -ones], axis=1)
        return unit(lateral * up + fall * (1 - up))

    return comb
