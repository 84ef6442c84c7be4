"""Earrings at the lobes."""

from __future__ import annotations

import numpy as np

from capture import PixelClass
from capture.geometry import Floats, MeshArrays
from generator.components.jewellery import JewellerySpec
from generator.geometry.distance import DistanceField
from generator.geometry.head_frame import HeadFrame, has_landmarks
from generator.geometry.solids import blob, circle, lathe, merged, sweep
from generator.head import HeadGeometry
from generator.wear.worn_mesh import WornMesh

PIERCED = 0.0055
"""Height of the piercing above the lobe's lower end, metres."""
ROOM = 0.0028
"""Distance that hoops and drops keep from neck and jaw, metres."""


def make_jewellery(
    spec: JewellerySpec, head: HeadGeometry, skull: HeadFrame | None, field: DistanceField
) -> list[WornMesh]:
    """The earrings of a spec; they pierce the lobes, so they touch the skin."""
    if spec.kind == "none" or skull is None:
        return []
    if not has_landmarks(head, ("left_ear_lobe", "right_ear_lobe"), "earrings"):
        return []
    sides = {"both": (1, -1), "left": (1,), "right": (-1,)}[spec.sides]
    metal, gems = [], []
    for side in sides:
        at, outward = _piercing(head, skull, side)
        make = {"stud": _stud, "hoop": _hoop, "drop": _drop}[spec.kind]
        parts, stones = make(spec, at, outward, head, field)
        metal += parts
        gems += stones
    by_material = {"jewellery metal": metal, "jewellery gem": gems}
    return [
        WornMesh(name, *merged(*parts), PixelClass.JEWELLERY, name, {}, touches=True)
        for name, parts in by_material.items()
        if parts
    ]


def _piercing(head: HeadGeometry, skull: HeadFrame, side: int) -> tuple[Floats, Floats]:
    """A point (3,) on the outside of a lobe and the direction (3,) out of it."""
    lobe = head.landmarks["left_ear_lobe" if side > 0 else "right_ear_lobe"]
    skin = head.skin
    aim = lobe + PIERCED * skull.axes[2]
    near = np.flatnonzero(np.linalg.norm(skin.vertices - aim, axis=1) < 0.004)
    sideways = skull.axes[0] * side
    outward = near[skin.normals[near] @ sideways > 0.3] if len(near) else near
    if not len(outward):
        return lobe, sideways
    # The outermost of what looks outwards: not the inside of the ear's bowl.
    best = outward[np.argmax(skin.vertices[outward] @ sideways)]
    normal = skin.normals[outward].mean(axis=0)
    return skin.vertices[best], normal / np.linalg.norm(normal)


def _basis(forward: Floats) -> Floats:
    """(3, 3) right-handed orthonormal rows, the last one `forward`."""
    helper = np.array([0.0, 0.0, 1.0]) if abs(forward[2]) < 0.9 else np.array([1.0, 0.0, 0.0])
    first = np.cross(helper, forward)
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(forward, first), forward])


def _stud(
    spec: JewellerySpec, at: Floats, outward: Floats, head: HeadGeometry, field: DistanceField
) -> tuple[list[MeshArrays], list[MeshArrays]]:
    """A stone in a flat setting."""
    axes, radius = _basis(outward), spec.size_mm / 2000
    rim = np.array([[0.55, 0.0010], [0.92, 0.0010], [1.0, 0.0004], [0.9, -0.0008], [0.4, -0.0009]])
    setting = lathe(np.stack([rim[:, 0] * radius, rim[:, 1]], axis=1), at + 0.0006 * outward, axes)
    stone = blob(at + 0.0012 * outward, axes * np.array([0.8 * radius, 0.8 * radius, 0.55 * radius])[:, None])
    return [setting], [stone]


def _hoop(
    spec: JewellerySpec, at: Floats, outward: Floats, head: HeadGeometry, field: DistanceField
) -> tuple[list[MeshArrays], list[MeshArrays]]:
    """A ring through the lobe, turned to where the neck leaves room, smaller where it leaves none."""
    wire = spec.wire_mm / 2000
    start = at - 0.0012 * outward
    radius = spec.size_mm / 2000
    angle = np.arange(64) * 2 * np.pi / 64
    heading = np.arctan2(outward[1], outward[0]) + np.radians(spec.turn_deg)
    while True:
        best, most = np.zeros((64, 3)), -np.inf
        for turn in np.radians(np.arange(-80, 81, 20)):
            plane = np.array([np.cos(heading + turn), np.sin(heading + turn), 0.0])
            ring = np.sin(angle)[:, None] * plane - (1 - np.cos(angle))[:, None] * np.array([0, 0, 1.0])
            path = start + radius * ring
            free = np.linalg.norm(path - start, axis=1) > 0.009
            room = float(field.distance(path[free]).min()) - wire if free.any() else 1.0
            score = min(room, ROOM) - 0.0004 * abs(turn)
            if score > most:
                best, most = path, score
        if most > ROOM - 0.0007 or radius < 0.005:
            break
        radius *= 0.85
    normal = np.cross(best[16] - best[0], best[32] - best[0])
    return [sweep(best, circle(wire, 10), normal / np.linalg.norm(normal), closed=True)], []


def _drop(
    spec: JewellerySpec, at: Floats, outward: Floats, head: HeadGeometry, field: DistanceField
) -> tuple[list[MeshArrays], list[MeshArrays]]:
    """A hook with links and a bead that hang straight down, clear of the neck."""
    level = np.array([outward[0], outward[1], 0.0])
    level /= np.linalg.norm(level)
    down = np.array([0.0, 0.0, -1.0])
    radius, length, wire = spec.size_mm / 2000, spec.length_mm / 1000, spec.wire_mm / 2400
    top = at + 0.0014 * outward
    steps = np.linspace(0.012, length + 3 * radius, 12)[:, None]
    lean = 0.0
    for _ in range(20):  # the neck of a turned head pushes a long drop outwards
        way = down + lean * level
        way /= np.linalg.norm(way)
        if field.distance(top + steps * way).min() > radius + ROOM or lean > 0.8:
            break
        lean += 0.05
    axes = _basis(-way)
    metal = [blob(at + 0.0008 * outward, _basis(outward) * 0.0017)]
    links = max(round(length / 0.0042), 2)
    size = length / links
    for index in range(links):
        plane = axes[index % 2]
        angle = np.arange(20) * 2 * np.pi / 20
        middle = top + way * (index + 0.5) * size
        path = middle + 0.62 * size * np.cos(angle)[:, None] * way + 0.3 * size * np.sin(angle)[:, None] * plane
        metal.append(sweep(path, circle(min(wire, 0.22 * size), 6), axes[1 - index % 2], closed=True))
    centre = top + way * (length + 1.15 * radius)
    stretch = 1.0 + 0.6 * (spec.turn_deg + 20) / 40
    bead = blob(centre, axes * np.array([radius, radius, radius * stretch])[:, None])
    angle = np.arange(24) * 2 * np.pi / 24
    cap = np.stack([np.sin(angle), np.cos(angle)], axis=1)[1:12] * np.array([0.45 * radius, 0.3 * radius])
    metal.append(lathe(cap, centre - way * radius * stretch * 0.95, axes))
    return metal, [bead]
