"""Collars, hoods and scarves around the neck."""

from __future__ import annotations

import numpy as np

from capture.geometry import Floats
from generator.components.garment import GarmentSpec
from generator.hair.strands import smoothstep
from generator.streams import detail_stream
from generator.wear.clothing.cloth import Cloth, thick_sheet, tube
from generator.wear.clothing.neck import Neck, lay

CLEAR = 0.0012  # metres between two layers


def round_the_neck(count: int, gap: float = 0.0) -> Floats:
    """(count,) angles around the neck: closed, or from `gap` on one side of the front to the other."""
    if gap <= 0:
        return np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.linspace(gap, 2 * np.pi - gap, count)


def stand(
    neck: Neck, side: Floats, height: Floats, rows: int, room: float, lean: float = 0.0, closed: bool = True
) -> Floats:
    """(rows, M, 3) a wall around the neck, `room` metres off what is there; `lean` metres out at its top."""
    share = np.linspace(0, 1, rows)[:, None]
    high = share * height[None]
    radius = neck.radius(np.broadcast_to(side, high.shape), high)
    radius = np.minimum(radius, radius[:1] + 0.012) + room + lean * share
    for _ in range(10):  # cloth spans the hollows beside the neck's muscles
        near = (np.roll(radius, 1, axis=1) + np.roll(radius, -1, axis=1)) / 2
        if not closed:
            near[:, 0], near[:, -1] = radius[:, 0], radius[:, -1]
        radius = np.maximum(radius - 0.001, 0.5 * (radius + near))
    return neck.points(np.broadcast_to(side, high.shape), high, radius)


def turtleneck(spec: GarmentSpec, neck: Neck) -> list[Cloth]:
    """A tube that is folded down outside."""
    side = round_the_neck(160)
    rng = detail_stream(spec.seed, "collar")
    thickness = spec.thickness_mm / 1000
    high = np.minimum(spec.collar_mm / 1000, neck.headroom(side))
    wall = stand(neck, side, high, 12, CLEAR + thickness)
    out = neck.outward(side)
    turn = np.linspace(0, np.pi, 7)[1:-1, None, None]
    width = 2.2 * thickness + 0.002 * spec.looseness
    roll = wall[-1] + np.sin(turn) * width * 0.6 * neck.axis + (1 - np.cos(turn)) / 2 * width * out
    depth = np.linspace(0, 0.88, 12)[:, None, None]
    wave = np.sin(3 * side + 6 * rng.random()) * 0.4 + np.sin(7 * side + 6 * rng.random()) * 0.3
    sag = 0.0012 * spec.folds * np.sin(depth * 9 + wave[None, :, None] * 2)
    swell = width + 0.004 * depth + sag + 0.0015 * np.sin(np.pi * depth)
    fold = wall[-1] + (wall[0] - wall[-1]) * depth + swell * out
    sheet = _keep(neck, np.concatenate([wall, roll, fold]), CLEAR + thickness / 2)
    return [thick_sheet("collar", sheet, thickness * 1.1, True, rib=1.0)]


def shirt_collar(spec: GarmentSpec, neck: Neck) -> list[Cloth]:
    """A stand around the neck and the collar that falls from it in two points."""
    thickness = 0.7 * spec.thickness_mm / 1000
    gap = 0.05 + 0.30 * spec.opening
    side = round_the_neck(121, gap)
    front = smoothstep(np.abs(np.pi - side), np.pi - 1.2, np.pi - gap)
    high = np.minimum(0.75 * spec.collar_mm / 1000 * (1 - 0.25 * front), 0.9 * neck.headroom(side))
    wall = stand(neck, side, high, 8, CLEAR + thickness + 0.002 + 0.004 * spec.looseness, closed=False)
    out, along = neck.outward(side), neck.outward(side + np.pi / 2)
    spread = np.sign(np.pi - side) * (0.35 + 0.5 * spec.opening)  # away from the middle
    direction = 1.0 * out + 0.5 * neck.axis + (front * spread)[:, None] * along
    width = np.maximum(0.9 * spec.collar_mm / 1000, high + 0.006)
    tip = smoothstep(np.abs(np.pi - side), np.pi - gap - 0.75, np.pi - gap)
    length = width + tip**1.5 * (0.030 + 0.008 * spec.folds)
    neck.surface.add(wall.reshape(-1, 3), np.zeros((0, 2), np.int64))
    fall = lay(neck.surface, wall[-1], direction, length, 18, CLEAR + thickness, gravity=1.3)
    return [
        thick_sheet("collar", _keep(neck, wall, thickness), thickness, False),
        thick_sheet("collar fall", fall, thickness * 1.5, False),
    ]


def jacket_collar(spec: GarmentSpec, neck: Neck, room: float) -> list[Cloth]:
    """A wall that stands off the neck, open in front."""
    thickness = 1.4 * spec.thickness_mm / 1000
    gap = 0.10 + 0.45 * spec.opening
    side = round_the_neck(121, gap)
    high = np.minimum(spec.collar_mm / 1000, neck.headroom(side))
    wall = stand(neck, side, high, 12, room + thickness, lean=0.006, closed=False)
    return [thick_sheet("collar", _keep(neck, wall, CLEAR + thickness / 2), thickness, False, rib=0.6)]


def hood(spec: GarmentSpec, neck: Neck) -> list[Cloth]:
    """A hood that lies on shoulders and back, and its strings."""
    rng = detail_stream(spec.seed, "hood")
    thickness = spec.thickness_mm / 1000 * 1.3
    side = round_the_neck(161, 0.03)
    behind = (1 - np.cos(side)) / 2
    free = neck.headroom(side)
    high = np.minimum(0.016 + 0.024 * behind + 0.0004 * (spec.collar_mm - 30), free)
    wall = stand(neck, side, high, 8, CLEAR + thickness + 0.002 + 0.010 * behind.mean(), lean=0.008, closed=False)
    out = neck.outward(side)
    length = 0.034 + 0.035 * np.sin(side) ** 2 + 0.115 * smoothstep(behind, 0.55, 1.0)
    puff = np.concatenate([np.linspace(0.006, 0.013, 10), np.linspace(0.013, 0.0015, 14)])
    fall = lay(neck.surface, wall[-1], 0.9 * out + 0.9 * neck.axis, length, 24, puff, gravity=0.7)
    sheet = np.concatenate([wall[:-1], fall])
    share = np.linspace(0, 1, len(sheet))[:, None]
    fold = np.zeros(sheet.shape[:2])
    for _ in range(5):
        ring, turn, phase = rng.uniform(2, 6), rng.uniform(3, 9), 6.3 * rng.random()
        fold += np.sin(ring * side[None] + turn * share + phase + np.sin(2 * side[None] + phase))
    swell = (0.0012 + 0.0018 * spec.folds) * np.clip(fold, -1, 3) * np.sin(np.pi * share)
    sheet = _keep(neck, sheet + grid_out(sheet, neck) * swell[..., None], CLEAR + thickness / 2)
    return [thick_sheet("hood", sheet, thickness, False), *_strings(spec, neck, rng)]


def grid_out(sheet: Floats, neck: Neck) -> Floats:
    """(R, M, 3) away from the body at the points of a sheet."""
    return neck.surface.field.gradient(sheet.reshape(-1, 3)).reshape(sheet.shape)


def _strings(spec: GarmentSpec, neck: Neck, rng: np.random.Generator) -> list[Cloth]:
    made = []
    for sign in (1, -1):
        side = np.array([sign * 0.30])
        start = neck.points(side, np.array([0.004]), neck.radius(side, np.array([0.004])) + 0.012)
        down = np.array([[sign * rng.uniform(-0.1, 0.25), -0.6, -1.0]])
        length = np.minimum(rng.uniform(0.10, 0.15), 0.95 * (start[:, 2] - neck.floor))
        path = lay(neck.surface, start, down, length, 40, 0.0028, gravity=1.0)[:, 0]
        made.append(cord(f"string {sign}", path, 0.0022, "garment_trim"))
    return made


def cord(name: str, path: Floats, radius: float, material: str) -> Cloth:
    """A round cord along a path (N, 3)."""
    ahead = np.gradient(path, axis=0)
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    a = np.cross(ahead, [1.0, 0.1, 0.0])
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    b = np.cross(ahead, a)
    turn = np.linspace(0, 2 * np.pi, 8, endpoint=False)[:, None, None]
    return tube(name, path[None] + radius * (np.cos(turn) * a + np.sin(turn) * b), False, material)


def scarf(spec: GarmentSpec, neck: Neck) -> list[Cloth]:
    """Two turns of folded cloth around the neck, and an end that hangs down in front."""
    rng = detail_stream(spec.seed, "scarf")
    side = round_the_neck(192)
    turn = np.linspace(0, 2 * np.pi, 56, endpoint=False)[:, None]
    room, made = neck.headroom(side), []
    edges = np.zeros((0, 2), np.int64)
    for index in range(2):
        tilt = 0.006 * np.cos(side - rng.uniform(0, 6.3))
        top = np.minimum((0.9 if index == 0 else 0.55) * spec.collar_mm / 1000 + 0.008 + tilt, room)
        low = -0.012 - 0.012 * index + tilt - 0.006 * np.cos(side)
        middle, half = (top + low) / 2, (top - low) / 2
        thick = (0.010 + 0.004 * spec.looseness) * (1 + 0.15 * np.sin(2 * side + rng.uniform(0, 6.3)))
        high = middle + half * np.sin(turn)
        floor = neck.radius(np.broadcast_to(side, high.shape), high)
        near = _softened(np.minimum(floor, np.median(floor, axis=0)[None] + 0.012), 14)
        pleats = np.zeros(high.shape)
        for _ in range(4):
            bent = side + 0.25 * np.sin(2 * side + 6.3 * rng.random())
            pleats += np.sin(rng.integers(3, 7) * turn + rng.integers(-3, 4) * bent + 6.3 * rng.random())
        body = thick * (1 + np.cos(turn)) + (0.0012 + 0.002 * spec.folds) * pleats * (np.cos(turn) > -0.3)
        radius = near.mean(axis=0) * 0.35 + near * 0.65 + CLEAR + body
        ring = _keep(neck, neck.points(np.broadcast_to(side, high.shape), high, radius), CLEAR)
        ring = _keep(neck, _softened(ring, 5), CLEAR)
        ring = _softened(ring, 2)
        made.append(tube(f"scarf {index}", ring, True))
        neck.surface.add(ring[np.cos(turn[:, 0]) > -0.2].reshape(-1, 3), edges)
    made.append(_scarf_end(spec, neck, rng))
    return made


def _softened(ring: Floats, rounds: int) -> Floats:
    """Values (R, M, ...) on a closed ring of closed profiles, averaged with their neighbours."""
    for _ in range(rounds):
        for axis in (0, 1):
            ring = 0.5 * ring + 0.25 * (np.roll(ring, 1, axis=axis) + np.roll(ring, -1, axis=axis))
    return ring


def _scarf_end(spec: GarmentSpec, neck: Neck, rng: np.random.Generator) -> Cloth:
    sign = 1 if rng.random() < 0.5 else -1
    count = 41
    across = np.linspace(-1, 1, count)
    side = sign * 0.35 + 0.30 * across
    start = neck.points(side, np.full(count, 0.006), neck.radius(side, np.full(count, 0.006)) + 0.002)
    pleat = np.sin(across * 9 + 6.3 * rng.random()) + 0.6 * np.sin(across * 17 + 6.3 * rng.random())
    down = np.tile(np.array([0.0, -0.7, -1.0]), (count, 1)) + 0.12 * across[:, None] * np.array([1.0, 0, 0])
    length = np.minimum(rng.uniform(0.16, 0.2), 0.95 * (start[:, 2] - neck.floor))
    sheet = lay(neck.surface, start, down, length, 40, 0.004, gravity=1.2)
    lift = smoothstep(np.linspace(0, 1, 40), 0.0, 0.2)[:, None] * (0.003 + 0.003 * spec.folds * pleat)
    sheet = _keep(neck, sheet + grid_out(sheet, neck) * lift[..., None], 0.003)
    return thick_sheet("scarf end", sheet, 0.0035, False)


def _keep(neck: Neck, sheet: Floats, least: float) -> Floats:
    """A sheet (R, M, 3) pushed clear of what is below."""
    return neck.surface.push(sheet.reshape(-1, 3), least).reshape(sheet.shape)
