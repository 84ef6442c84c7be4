"""Hair that is tied: ponytail, bun and braids. It runs over the head to a tie, and on from there in its own shape."""

from __future__ import annotations

import numpy as np

from capture.geometry import Floats, unit
from generator.components.hair import HairSpec
from generator.hair.grooming import finish, trim
from generator.hair.obstacle import Obstacle
from generator.hair.skull import Skull
from generator.hair.strands import Roots, smoothstep
from generator.head import HeadGeometry

OVER, ON = 18, 34  # points up to the tie and after it
RING = 0.009  # radius of the hair in the tie, metres


def tied(
    spec: HairSpec, roots: Roots, skull: Skull, head: HeadGeometry, obstacle: Obstacle, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """(S, P, 3) strands and (S,) tones of a ponytail, a bun, or one or two braids."""
    count = len(roots)
    elevation = np.radians(-32 + 85 * spec.tie) if spec.family != "braids" else np.radians(-34 + 10 * spec.tie)
    turned = np.radians(38.0) if spec.family == "braids" and spec.plaits == 2 else 0.0
    offset = roots.points[:, 0] - skull.middle[0] - spec.parting * 0.5 * skull.size[0]
    chosen = np.where(offset > 0, 1.0, -1.0) if turned else np.ones(count)
    points = np.zeros((count, OVER + ON, 3))
    for sign in (1.0, -1.0) if turned else (1.0,):
        mine = np.flatnonzero(chosen == sign)
        if not len(mine):
            continue
        way = np.array(
            [sign * np.sin(turned) * np.cos(elevation), np.cos(turned) * np.cos(elevation), np.sin(elevation)]
        )
        tie = _surface(skull, way, obstacle, 0.006 + spec.volume_mm / 2000)
        disc = _disc(len(mine), rng)
        first = _over(roots.keep(mine), skull, way, tie, disc, spec, obstacle, rng)
        shape = {"ponytail": _tail, "bun": _bun, "braids": _braid}[spec.family]
        points[mine] = np.concatenate([first, shape(spec, tie, way, disc, obstacle, rng)], axis=1)
    if spec.family != "bun":
        points = trim(points, 1 - 0.3 * rng.random(count) ** 2)
    return _finish_tied(points, spec, obstacle, rng, 28)


def _finish_tied(
    points: Floats, spec: HairSpec, obstacle: Obstacle, rng: np.random.Generator, size: int
) -> tuple[Floats, Floats]:
    wild = 0.004 if spec.family == "ponytail" else 0.0018
    if spec.family != "ponytail":  # what is twisted or plaited has no waves of its own
        spec = HairSpec(spec.family, clump=0.45 * spec.clump, frizz=spec.frizz, curl_mm=0.0)
    return finish(points, spec, obstacle, rng, size, wild)


def _surface(skull: Skull, way: Floats, obstacle: Obstacle, height: float) -> Floats:
    """The point in a direction from the skull's middle at a height over the skin."""
    far = np.linspace(0.05, 0.2, 151)
    points = skull.middle + far[:, None] * way
    outside = np.flatnonzero(obstacle.field.distance(points) >= height)
    return np.asarray(points[outside[0] if len(outside) else -1])


def _disc(count: int, rng: np.random.Generator) -> Floats:
    """(count, 2) points of the unit disc."""
    angle, radius = 2 * np.pi * rng.random(count), np.sqrt(rng.random(count))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _over(
    roots: Roots,
    skull: Skull,
    way: Floats,
    tie: Floats,
    disc: Floats,
    spec: HairSpec,
    obstacle: Obstacle,
    rng: np.random.Generator,
) -> Floats:
    """(S, OVER, 3) along great circles of the skull from the roots to the tie."""
    count = len(roots)
    local = roots.points - skull.middle
    start, size = unit(local), np.linalg.norm(local, axis=1)
    angle = np.arccos(np.clip(start @ way, -1, 1))[:, None, None]
    s = (np.linspace(0, 1, OVER) ** 0.9)[None, :, None]
    between = (np.sin((1 - s) * angle) * start[:, None] + np.sin(s * angle) * way) / np.maximum(np.sin(angle), 1e-3)
    low = smoothstep(-local[:, 1], -0.02, 0.03) * smoothstep(-local[:, 2], -0.03, 0.02)  # in front of the ears
    between = unit(between + np.array([0, 0, 0.55]) * low[:, None, None] * np.sin(np.pi * s))
    far = size[:, None, None] * (1 - s) + np.linalg.norm(tie - skull.middle) * s
    points = skull.middle + between * far
    side, up = _frame(way)
    ring = tie + RING * (disc[:, :1] * side + disc[:, 1:] * up)
    points += (ring - points[:, -1])[:, None] * smoothstep(s, 0.6, 1.0)
    # The comb leaves grooves that run towards the tie.
    around = np.arctan2(start @ up, start @ side)
    groove = 0.5 + 0.3 * np.sin(31 * around + 2 * np.pi * rng.random()) + 0.2 * np.sin(83 * around)
    layer = 0.0014 + spec.volume_mm / 1000 * (0.65 * groove + 0.35 * rng.random(count))
    for index in range(1, OVER):
        grown = np.minimum(0.0008 + index * 0.001, layer)
        points[:, index] = obstacle.push(points[:, index], grown)
    points[:, 0] = roots.points
    return points


def _frame(way: Floats) -> tuple[Floats, Floats]:
    side = unit(np.array([1.0, 0.0, 0.0]) - way[0] * way)
    return side, np.asarray(np.cross(way, side))


def _axis(tie: Floats, way: Floats, length: float, radius: float, obstacle: Obstacle, leap: float) -> Floats:
    """(ON, 3) the middle of what hangs from the tie: first outwards, then down, off head and clothes."""
    step, point, track = length / ON, tie.copy(), []
    for index in range(ON):
        fall = min(index * step / leap, 1.0)
        direction = unit(way * (1 - fall) ** 1.5 + np.array([0, 0, -1.0]) * (0.15 + fall))
        moved = obstacle.push((point + step * direction)[None], np.array([radius * min(1.0, 0.5 + index / 8)]))[0]
        change = moved - point
        point = point + change * min(1.0, 1.3 * step / max(float(np.linalg.norm(change)), 1e-9))
        track.append(point)
    return np.array(track)


def _around(axis: Floats, across: Floats, deep: Floats) -> Floats:
    """(S, ON, 3) points beside an axis; `across` and `deep` (S, ON) metres."""
    along = unit(np.gradient(axis, axis=0))
    side = unit(np.array([1.0, 0.0, 0.0]) - along[:, :1] * along)
    back = np.cross(along, side)
    return np.asarray(axis + across[..., None] * side + deep[..., None] * back)


def _tail(
    spec: HairSpec, tie: Floats, way: Floats, disc: Floats, obstacle: Obstacle, rng: np.random.Generator
) -> Floats:
    wide = 0.018 + 0.006 * spec.layered
    axis = _axis(tie, way, 0.62 * spec.length_mm / 1000, wide, obstacle, 0.045)
    t = np.linspace(0, 1, ON)
    radius = RING + (wide - RING) * smoothstep(t, 0.0, 0.3) - 0.6 * wide * smoothstep(t, 0.55, 1.0)
    return _around(axis, disc[:, :1] * radius * 1.2, disc[:, 1:] * radius * 0.9)


def _bun(
    spec: HairSpec, tie: Floats, way: Floats, disc: Floats, obstacle: Obstacle, rng: np.random.Generator
) -> Floats:
    """A rope that is wound around the tie."""
    side, up = _frame(way)
    count, size = len(disc), 0.6 + spec.length_mm / 900
    ring, rope = 0.013 * size, 0.0125 * size
    start = 2 * np.pi * rng.random(count)
    s = np.linspace(0, 1, ON)[None]
    turn = start[:, None] + 2 * np.pi * 1.25 * s
    opened = smoothstep(s, 0.0, 0.18)
    inside = np.sqrt(0.45 + 0.55 * rng.random(count))[:, None] * opened
    twist = 2 * np.pi * rng.random(count)[:, None] + 3.2 * turn
    ridge = 1 + 0.10 * np.cos(3 * (twist - 3.2 * turn) + 2 * turn)  # the strands of the rope
    far = ring * (0.35 + 0.65 * opened) + rope * inside * ridge * np.cos(twist - 2.4 * turn)
    height = rope * 0.9 + rope * inside * ridge * np.sin(twist - 2.4 * turn)
    return np.asarray(
        tie + (far * np.cos(turn))[..., None] * side + (far * np.sin(turn))[..., None] * up + height[..., None] * way
    )


def _braid(
    spec: HairSpec, tie: Floats, way: Floats, disc: Floats, obstacle: Obstacle, rng: np.random.Generator
) -> Floats:
    """Three strands over one another, each a sine across and two deep, and a loose end."""
    size = 1.0 if spec.plaits == 1 else 0.8
    length = 0.55 * spec.length_mm / 1000
    axis = _axis(tie, way, length, 0.015 * size, obstacle, 0.03)
    s = np.linspace(0, 1, ON)[None]
    strand = (np.arange(len(disc)) % 3)[:, None] * 2 * np.pi / 3
    angle = 2 * np.pi * s * length / (0.055 * size) + strand
    woven = (1 - smoothstep(s, 0.86, 0.9)) * smoothstep(s, 0.0, 0.06) * (1 - 0.35 * s)
    thick = 0.0062 * size * ((1 - 0.4 * s) * (1 - 0.45 * np.exp(-(((s - 0.88) / 0.025) ** 2))))
    across = 0.0088 * size * np.sin(angle) * woven + disc[:, :1] * thick
    deep = 0.0048 * size * np.sin(2 * angle) * woven + disc[:, 1:] * thick * 0.8
    return _around(axis, across, deep)
