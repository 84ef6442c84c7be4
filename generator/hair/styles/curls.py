"""Curly hair and afros."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from capture.geometry import Floats, unit
from generator.components.hair import HairSpec
from generator.hair.grooming import choose_guides, cut, edges, fill, finish, grow_guides, stretch, trim
from generator.hair.growth import Growth
from generator.hair.obstacle import Obstacle
from generator.hair.skull import Skull, face_shield, fringe_region, whorl_flow
from generator.hair.strands import Roots, smoothstep
from generator.head import HeadGeometry


def round_curls(
    spec: HairSpec, roots: Roots, skull: Skull, head: HeadGeometry, obstacle: Obstacle, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Afro: coils that stand off the head to a round outline. Curly: looser ones that fall over."""
    afro = spec.family == "afro"
    some = choose_guides(roots, rng)
    guide = roots.keep(some)
    top = smoothstep(guide.base[:, 2], -0.06, 0.06)
    front = smoothstep(-guide.base[:, 1], 0.0, 0.05)

    def comb(points: Floats, away: Floats) -> Floats:
        rise = np.tile(front, 2)[:, None] * np.stack(
            [np.sign(points[:, 0]) * (0.0 if afro else 1.6), *np.full((2, len(points)), 0.6)], axis=1
        )
        if afro:
            return unit(unit(points - skull.middle + np.array([0, -0.01, 0.02])) + 0.4 * away + rise)
        return unit(0.6 * whorl_flow(points, away, skull) + 0.25 * away + 0.4 * rise)

    growth = (
        Growth(lift=0.85, comb=0.3, gravity=0.0) if afro else Growth(lift=0.5, comb=0.25, gravity=0.16, cohesion=0.3)
    )
    length = spec.length_mm / 1000 / stretch(spec) * (0.65 + 0.35 * top)
    steps, shield = (52, None) if afro else (48, face_shield(head))
    guides = grow_guides(
        guide,
        np.zeros(len(some)),
        length,
        0.002 if afro else spec.volume_mm / 1000,
        steps,
        comb,
        replace(obstacle, shield=shield),
        growth,
    )
    points = fill(guides, roots, np.zeros(len(roots)), rng.random(len(roots)))
    if not afro:  # curls in front end above the eyes
        brow = float(head.landmarks["left_eye_outer"][2]) + 0.016 + 0.006 * rng.standard_normal(len(roots))
        points = cut(points, brow, fringe_region(roots.base))
    share = 1 - (0.25 + 0.4 * spec.layered) * rng.random(len(roots)) ** 1.5
    return finish(trim(points, share * edges(roots)), spec, obstacle, rng, 9 if afro else 30, 0.006 if afro else 0.0035)
