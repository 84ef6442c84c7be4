"""Hairstyles."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from generator.components.hair import HairSpec
from generator.hair.growth import Growth, Obstacle, clump, curl, frizz, grow, settle
from generator.hair.strands import Roots, Strands, generator_for, scatter, smoothstep, taper, unit
from generator.head import HeadGeometry

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Skull:
    """The lie of the hair on a head: where the whorl is and how to measure on any identity.

    Attributes:
        middle: (3,) centre of the skull, metres.
        size: (3,) half extents of the head.
        whorl: (3,) point of the crown that hair radiates from.
    """

    middle: Floats
    size: Floats
    whorl: Floats


def skull_of(head: HeadGeometry) -> Skull:
    """Measured from the scalp's vertices."""
    scalp = head.skin.vertices[head.skin.masks["scalp"] > 0.5]
    low, high = scalp.min(axis=0), scalp.max(axis=0)
    middle, size = (low + high) / 2, (high - low) / 2
    whorl = middle + size * np.array([0.12, 0.62, 0.95])
    return Skull(middle, size, whorl)


def scalp_density(spec: HairSpec, head: HeadGeometry, rng: np.random.Generator) -> Floats:
    """(V,) share of the full density: the scalp with a soft, slightly ragged hairline."""
    mask, base = head.skin.masks["scalp"], head.skin.base
    waves = np.zeros(len(base))
    for _ in range(6):
        axis, phase = rng.standard_normal(3), 2 * np.pi * rng.random()
        waves += np.sin(base @ (axis / np.linalg.norm(axis)) * 2 * np.pi / 0.018 + phase)
    front = smoothstep(-base[:, 1], -0.03, 0.02)
    shift = spec.hairline_mm / 10.0 * front
    return smoothstep(mask - shift + 0.05 * waves, 0.25, 1.0)


def root_shade(spec: HairSpec, head: HeadGeometry) -> Floats:
    """(V,) 0 to 1, how much the roots darken the scalp."""
    if spec.family == "none":
        return np.zeros(len(head.skin.vertices))
    amount = min(1.4 * spec.colour.melanin, 1.0) * (1 - 0.8 * spec.colour.grey)
    return amount * scalp_density(spec, head, generator_for(spec.seed, "scalp"))


def grow_scalp(spec: HairSpec, head: HeadGeometry, obstacle: Obstacle) -> Strands | None:
    """The scalp hair of a spec, or None without any."""
    if spec.family == "none" or spec.strands == 0:
        return None
    rng = generator_for(spec.seed, "scalp")
    roots = scatter(head.skin, scalp_density(spec, head, rng), spec.strands, rng)
    skull = skull_of(head)
    style = {"buzz": _buzz, "curly": _curly, "afro": _curly, "crop": _short, "side_part": _short, "balding": _short,
             "slicked": _short}.get(spec.family, _hanging)  # fmt: skip
    points = style(spec, roots, skull, head, obstacle, rng)
    radii = taper(len(points), points.shape[1], spec.radius_mm / 1000, 0.35, rng)
    return Strands(points, radii, rng.random(len(points)))


def _away_from_whorl(points: Floats, skull: Skull) -> Floats:
    """Directions from the whorl over the head: forward on top, down at the sides and the back."""
    local = (points - skull.whorl) / skull.size
    return unit(local * np.array([1.0, 1.0, 1.2]) * skull.size)


def _buzz(spec: HairSpec, roots: Roots, skull: Skull, head: HeadGeometry, obstacle: Obstacle,
          rng: np.random.Generator) -> Floats:  # fmt: skip
    """A few millimetres everywhere, shorter at the sides."""
    height = smoothstep(roots.base[:, 2], -0.04, 0.06)
    length = spec.length_mm / 1000 * (0.55 + 0.45 * height) * (0.8 + 0.4 * rng.random(len(roots)))
    layer = np.full(len(roots), 0.001)
    how = Growth(lift=0.75, comb=0.15, gravity=0.0)
    points = grow(roots, length, layer, 5, lambda p, a: _away_from_whorl(p, skull), obstacle, how)
    return frizz(points, 0.0003 + 0.0006 * spec.frizz, rng)


def _side_of_parting(points: Floats, skull: Skull, parting: float) -> Floats:
    return np.asarray(points[:, 0] - skull.middle[0] - parting * 0.55 * skull.size[0])


def _short(spec: HairSpec, roots: Roots, skull: Skull, head: HeadGeometry, obstacle: Obstacle,
           rng: np.random.Generator) -> Floats:  # fmt: skip
    """A short cut: combed to the side or forward on top, close at the sides and the neck."""
    count = len(roots)
    top = smoothstep(roots.base[:, 2], 0.015, 0.075)
    length = spec.length_mm / 1000 * (0.22 + 0.78 * top) * (0.72 + 0.4 * rng.random(count))
    edge = 0.45 + 0.55 * smoothstep(roots.mask, 0.2, 1.0)  # thin and short at the hairline
    depth = spec.volume_mm / 1000 * (0.30 + 0.70 * top)
    layer = 0.0012 + depth * rng.random(count) ** 0.7
    parted = float(smoothstep(np.array(abs(spec.parting)), 0.15, 0.45))  # a middle position means no parting
    offset = _side_of_parting(roots.points, skull, spec.parting) + 0.011 * rng.standard_normal(count)
    side = np.sign(offset) * parted
    forward = 1.0 - 0.75 * parted
    swept = np.stack([side * 1.2 + 0.25 * np.sign(spec.parting), np.full(count, -forward), np.zeros(count)], axis=1)
    crown = float(skull.middle[2]) + skull.size[2] * np.array([0.35, 0.80])

    def comb(points: Floats, away: Floats) -> Floats:
        across = 0.7 * smoothstep(points[:, 2], *crown)[:, None]
        flow = _away_from_whorl(points, skull) + np.array([0.0, 0.0, -0.35])
        return unit(flow * (1 - across) + unit(swept) * across)

    how = Growth(lift=0.30, comb=0.8, gravity=0.12, cohesion=0.8)
    points = grow(roots, length * edge, layer, 14, comb, obstacle, how)
    points, lock = clump(points, 0.75 * spec.clump, 900, rng)
    points = frizz(points, (0.03 + 0.08 * spec.frizz) * spec.length_mm / 1000, rng)
    points = _wave(points, spec, lock, rng)
    return settle(points, obstacle, 0.0012)


def _wave(points: Floats, spec: HairSpec, lock: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """Coils that the strands of a lock share, each a little off."""
    count, locks = len(points), int(lock.max(initial=0)) + 1
    loose = 0.25 + 0.5 * spec.frizz
    phase = (2 * np.pi * rng.random(locks))[lock] + loose * rng.standard_normal(count)
    turns = spec.curl_turns * 10 * (0.8 + 0.4 * rng.random(locks))[lock] * (1 + 0.03 * rng.standard_normal(count))
    radius = spec.curl_mm / 1000 * (0.6 + 0.8 * rng.random(locks))[lock]
    return curl(points, radius, turns, phase)


def _curly(spec: HairSpec, roots: Roots, skull: Skull, head: HeadGeometry, obstacle: Obstacle,
           rng: np.random.Generator) -> Floats:  # fmt: skip
    """Coils that stand off the head: from close curls to an afro."""
    count = len(roots)
    top = smoothstep(roots.base[:, 2], -0.05, 0.06)
    extent = (spec.volume_mm / 1000 * (0.55 + 0.45 * top)) * (0.55 + 0.6 * rng.random(count))
    edge = 0.35 + 0.65 * smoothstep(roots.mask, 0.2, 1.0)

    def comb(points: Floats, away: Floats) -> Floats:
        return unit(away + 0.45 * _away_from_whorl(points, skull) + np.array([0, 0.15, 0.0]))

    how = Growth(lift=0.8, comb=0.2, gravity=0.02)
    points = grow(roots, extent * edge, np.full(count, 0.002), 56, comb, obstacle, how)
    points, lock = clump(points, 0.55 * spec.clump, 1500, rng)
    points = frizz(points, 0.002 + 0.006 * spec.frizz, rng)
    points = _wave(points, replace(spec, curl_turns=spec.curl_turns * 1.2), lock, rng)
    return settle(points, obstacle, 0.0012)


def _hanging(spec: HairSpec, roots: Roots, skull: Skull, head: HeadGeometry, obstacle: Obstacle,
             rng: np.random.Generator) -> Floats:  # fmt: skip
    """Hair that parts on top, runs around the face and hangs; a bob is cut level at the chin."""
    count = len(roots)
    length = spec.length_mm / 1000 * (0.88 + 0.2 * rng.random(count))
    layer = 0.0015 + spec.volume_mm / 1000 * rng.random(count) ** 0.8
    offset = _side_of_parting(roots.points, skull, 0.6 * spec.parting) + 0.006 * rng.standard_normal(count)
    side = np.where(offset > 0, 1.0, -1.0)
    behind = smoothstep(roots.points[:, 1], float(skull.middle[1]), float(skull.middle[1] + 0.8 * skull.size[1]))

    def comb(points: Floats, away: Floats) -> Floats:
        high = smoothstep(points[:, 2], float(skull.middle[2] - 0.1 * skull.size[2]),
                          float(skull.middle[2] + 0.8 * skull.size[2]))  # fmt: skip
        lateral = np.stack([side * (1 - behind), 0.35 + 0.65 * behind, -0.25 * np.ones(count)], axis=1)
        fall = np.stack([0.02 * side, np.full(count, 0.05), np.full(count, -1.0)], axis=1)
        return unit(lateral * high[:, None] + fall * (1 - high[:, None]))

    how = Growth(lift=0.25, comb=0.6, gravity=0.25, cohesion=0.9)
    points = grow(roots, length, layer, 40, comb, replace(obstacle, shield=face_shield(head)), how)
    points, lock = clump(points, 0.8 * spec.clump, 700, rng)
    points = frizz(points, 0.002 + 0.010 * spec.frizz, rng)
    points = _wave(points, spec, lock, rng)
    if spec.family == "bob":
        level = head.landmarks["chin"][2] + (spec.length_mm - 230) / 1000 * 0.6
        points = cut(points, level + 0.006 * rng.standard_normal(count))
    return settle(points, obstacle, 0.0012)


def face_shield(head: HeadGeometry) -> tuple[Floats, Floats]:
    """An ellipsoid around the face that hanging hair goes around."""
    eyes = (head.landmarks["left_eye_outer"] + head.landmarks["right_eye_outer"]) / 2
    width = float(np.linalg.norm(head.landmarks["left_eye_outer"] - head.landmarks["right_eye_outer"])) / 2
    chin = head.landmarks["chin"]
    centre = np.array([eyes[0], eyes[1] - 0.015, (eyes[2] + chin[2]) / 2])
    return centre, np.array([width * 1.30, 0.075, (eyes[2] - chin[2]) * 0.95])


def cut(points: Floats, level: Floats) -> Floats:
    """Strands (S, P, 3) shortened where they first go below `level` (S,) metres, points spread evenly again."""
    below = points[..., 2] < level[:, None]
    below[:, 0] = False
    first = np.where(below.any(axis=1), below.argmax(axis=1), points.shape[1] - 1).astype(float)
    at = np.linspace(0, 1, points.shape[1])[None] * first[:, None]
    low = np.minimum(at.astype(int), points.shape[1] - 2)
    t = (at - low)[..., None]
    rows = np.arange(len(points))[:, None]
    return np.asarray(points[rows, low] * (1 - t) + points[rows, low + 1] * t)
