"""Hairstyles that hang or are combed: each grows guides in its own directions; `grooming` does the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from generator.components.hair import HairSpec
from generator.hair.grooming import cut, edges, fill, finish, grow_guides, stretch, trim
from generator.hair.growth import Comb, Growth, Obstacle, frizz, grow
from generator.hair.skull import Skull, face_shield, whorl_flow
from generator.hair.strands import Roots, smoothstep, unit
from generator.head import HeadGeometry

Floats = NDArray[np.float64]

GUIDES = 700


def _some(roots: Roots, rng: np.random.Generator, count: int = GUIDES) -> NDArray[np.int64]:
    return rng.permutation(len(roots))[:count]


def _side(points: Floats, skull: Skull, parting: float) -> Floats:
    return np.asarray(points[:, 0] - skull.middle[0] - parting * 0.55 * skull.size[0])


def buzz(
    spec: HairSpec, roots: Roots, skull: Skull, head: HeadGeometry, obstacle: Obstacle, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """A few millimetres everywhere, shorter at the sides."""
    height = smoothstep(roots.base[:, 2], -0.04, 0.06)
    length = spec.length_mm / 1000 * (0.5 + 0.5 * height) * (0.8 + 0.2 * rng.random(len(roots)))
    how = Growth(lift=0.7, comb=0.2, gravity=0.0)
    points = grow(roots, length, np.full(len(roots), 0.001), 4, lambda p, a: whorl_flow(p, a, skull), obstacle, how)
    return frizz(points, 0.0002 + 0.0005 * spec.frizz, rng), rng.random(len(roots))


def combed(
    spec: HairSpec, roots: Roots, skull: Skull, head: HeadGeometry, obstacle: Obstacle, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Short hair: forward from the whorl (crop, balding), to the side (side part) or back (slicked)."""
    top = smoothstep(roots.base[:, 2], 0.015, 0.075)
    near = 0.75 if spec.family == "slicked" else 0.3 if spec.family in ("crop", "side_part") else 0.7
    if spec.family == "side_part":  # never in the middle
        spec = replace(spec, parting=float(np.copysign(0.4 + 0.5 * abs(spec.parting), spec.parting)))
    some = _some(roots, rng)
    guide = roots.keep(some)
    side = np.sign(_side(guide.points, skull, spec.parting)) if spec.family == "side_part" else np.zeros(len(some))
    comb = _direction(spec, skull, np.tile(side, 2))
    flat = {"crop": 0.45, "slicked": 0.22, "side_part": 0.34, "balding": 0.3}[spec.family]
    how = Growth(lift=flat, comb=0.7, gravity=0.06, cohesion=0.7)
    length = spec.length_mm / 1000 / stretch(spec) * (near + (1 - near) * top)
    guides = grow_guides(guide, side, length[some], spec.volume_mm / 1000, 14, comb, obstacle, how)
    offset = _side(roots.points, skull, spec.parting) + 0.0025 * rng.standard_normal(len(roots))
    every = np.sign(offset) if spec.family == "side_part" else np.zeros(len(roots))
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


def round_curls(
    spec: HairSpec, roots: Roots, skull: Skull, head: HeadGeometry, obstacle: Obstacle, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Afro: coils that stand off the head to a round outline. Curly: looser ones that fall over."""
    afro = spec.family == "afro"
    some = _some(roots, rng)
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

    how = Growth(lift=0.85, comb=0.3, gravity=0.0) if afro else Growth(lift=0.5, comb=0.25, gravity=0.16, cohesion=0.3)
    length = spec.length_mm / 1000 / stretch(spec) * (0.65 + 0.35 * top)
    steps, shield = (52, None) if afro else (48, face_shield(head))
    guides = grow_guides(guide, np.zeros(len(some)), length, 0.002 if afro else spec.volume_mm / 1000, steps, comb,
                         replace(obstacle, shield=shield), how)  # fmt: skip
    points = fill(guides, roots, np.zeros(len(roots)), rng.random(len(roots)))
    if not afro:  # curls in front end above the eyes
        brow = float(head.landmarks["left_eye_outer"][2]) + 0.016 + 0.006 * rng.standard_normal(len(roots))
        points = cut(points, brow, fringe_region(roots.base))
    share = 1 - (0.25 + 0.4 * spec.layered) * rng.random(len(roots)) ** 1.5
    return finish(trim(points, share * edges(roots)), spec, obstacle, rng, 9 if afro else 30, 0.006 if afro else 0.0035)


def hanging(
    spec: HairSpec, roots: Roots, skull: Skull, head: HeadGeometry, obstacle: Obstacle, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Hair that parts on top, runs around the face and hangs; a bob is cut level, a fringe above the eyes."""
    parting = 0.6 * spec.parting
    # The parting is a soft zigzag, and hair is thrown over from both sides of it: no wide strip of scalp.
    offset = _side(roots.points, skull, parting) + 0.0015 * np.sin(roots.points[:, 1] / 0.004)
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
        some = _some(own, rng, 160 if bangs else GUIDES)
        comb = _forward() if bangs else _around_face(skull, np.tile(sides[some], 2))
        length = 0.13 if bangs else spec.length_mm / 1000 / stretch(spec)
        how = Growth(lift=0.22, comb=0.55, gravity=0.2 if bangs else 0.25, cohesion=0.8)
        clear = obstacle if bangs else replace(obstacle, shield=face_shield(head))
        guides = grow_guides(own.keep(some), sides[some], np.full(len(some), length),
                             (0.35 if bangs else 1.0) * spec.volume_mm / 1000, steps, comb, clear, how)  # fmt: skip
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


def fringe_region(base: Floats) -> NDArray[np.bool_]:
    """(N,) where on the mean head a fringe grows from."""
    return np.asarray((base[:, 1] < 0.022) & (np.abs(base[:, 0]) < 0.058) & (base[:, 2] > 0.03))


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
