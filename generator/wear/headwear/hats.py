"""Hats, caps, bands and headscarves as closed meshes."""

from __future__ import annotations

import numpy as np

from capture import PixelClass
from capture.geometry import Floats, MeshArrays
from generator.components.headwear import HeadwearSpec
from generator.geometry.head_frame import HeadFrame, has_landmarks
from generator.geometry.solids import arc_path, blob, merged, ring_like, rounded_box, sphere_like, sweep
from generator.hair.strands import Strands, smoothstep
from generator.head import HeadGeometry
from generator.streams import detail_stream
from generator.wear.headwear.chart import (
    AZIMUTHS,
    COLUMNS,
    ELEVATIONS,
    Cover,
    blurred,
    directions,
    interpolated,
    polar,
    skull_heights,
)
from generator.wear.worn_mesh import WornMesh

NEEDED = ("left_ear_top", "right_ear_top", "left_brow_2", "right_brow_2")
POWERS = {"cap": 2.5, "fedora": 4.5, "bucket": 3.6, "sunhat": 2.8}
"""Of the superellipse that a stiff crown's section is: more is squarer."""
DIPS = {
    "cap": 0.006,
    "beanie": 0.018,
    "headband": 0.0,
    "fedora": 0.006,
    "bucket": 0.012,
    "sunhat": 0.008,
    "headscarf": 0.030,
}
"""Depth of the rim at the nape below the ears' tops, metres."""
BRIMMED = ("fedora", "bucket", "sunhat")
ROWS = 26


def make_headwear(
    spec: HeadwearSpec, head: HeadGeometry, skull: HeadFrame | None, hair: Strands | None, worn: list[WornMesh]
) -> tuple[list[WornMesh], Cover | None]:
    """The meshes of a spec and what they cover.

    Args:
        hair: voluminous hair gets more room.
        worn: meshes that it goes over (the temples of spectacles).
    """
    if spec.kind == "none" or spec.asset or skull is None or not has_landmarks(head, NEEDED, "hats"):
        return [], None
    ears = head.skin.masks.get("ears", np.zeros(len(head.skin.vertices))) > 0.05
    local = skull.local(head.skin.vertices)
    over = [skull.local(mesh.vertices) for mesh in worn if mesh.pixel_class == PixelClass.EYEWEAR]
    skin = skull_heights(local[~ears])
    behind = [points[points[:, 1] > -0.07] for points in over]
    heights = skull_heights(np.concatenate([local[~ears], *behind])) if over else skin
    rim = _rim_height(spec, head, skull, local[ears])
    inner = heights + spec.gap_mm / 1000 + _hair_room(spec, skull, hair, skin, heights, rim)
    if spec.kind in POWERS:
        inner = np.maximum(inner, blurred(_stiff_crown(spec, inner, rim), 2))
    else:
        inner = inner + _slack(spec)
    low = _elevation_at(inner, rim)
    high = _elevation_at(inner, rim + spec.height_mm / 1000) if spec.kind == "headband" else np.full(COLUMNS, 9.0)
    meshes = _worn_meshes(spec, skull, inner, low, high)
    steep = max(np.tan(np.radians(12 + 48 * spec.droop)), 0.3) if spec.kind in BRIMMED else 0.7
    return meshes, Cover(skull, skin, inner, low, high, float(min(0.8 / steep, 1.2)))


def _rim_height(spec: HeadwearSpec, head: HeadGeometry, skull: HeadFrame, ears: Floats) -> Floats:
    """(azimuths,) local height of the rim: bare forehead in front, above the ears, lower at the nape."""
    brow = max(float(skull.local(head.landmarks[f"{side}_brow_2"])[2]) for side in ("left", "right"))
    tops = np.stack([skull.local(head.landmarks[f"{side}_ear_top"]) for side in ("left", "right")])
    top = max(float(tops[:, 2].max()), float(ears[:, 2].max()) if len(ears) else -1.0) + 0.0075
    front = max(brow + 0.014 + 0.040 * spec.forehead, top - 0.005)
    at = float(polar(tops * [[1, 1, 1], [-1, 1, 1]])[0].mean())
    turned = np.minimum(AZIMUTHS, 2 * np.pi - AZIMUTHS)
    side = top + (0.08 if spec.kind in ("beanie", "headscarf") else 0.25) * max(front - top, 0.0)
    # A plane from the forehead to above the ears, which levels out towards the nape.
    ahead = np.clip((np.cos(turned) - np.cos(at)) / (1 - np.cos(at)), 0, 1)
    behind = np.clip((np.cos(at + 0.4) - np.cos(turned)) / (np.cos(at + 0.4) + 1), 0, 1)
    rim = side + (front - side) * ahead - DIPS[spec.kind] * behind
    for _ in range(12):
        rim = 0.5 * rim + 0.25 * (np.roll(rim, 1) + np.roll(rim, -1))
    roll = 0.08 * np.tan(np.radians(spec.tilt_deg)) * np.sin(AZIMUTHS)
    beside = np.abs(turned - at) < 0.5
    return np.asarray(np.where(beside, np.maximum(rim - roll, top), rim - roll))


def _elevation_at(radius: Floats, height: Floats) -> Floats:
    """(azimuths,) the elevation at which a surface (elevations, azimuths) reaches a height."""
    heights = radius * np.sin(ELEVATIONS)[:, None]
    rising = np.maximum.accumulate(heights, axis=0) + 1e-9 * np.arange(len(ELEVATIONS))[:, None]
    return np.array([np.interp(height[i], rising[:, i], ELEVATIONS) for i in range(COLUMNS)])


def _hair_room(
    spec: HeadwearSpec, skull: HeadFrame, hair: Strands | None, skin: Floats, heights: Floats, rim: Floats
) -> float:
    """Metres that the hair below lifts the headwear."""
    if hair is None or not len(hair):
        return 0.0
    azimuth, elevation, radius = polar(skull.local(hair.points[::5].reshape(-1, 3)))
    below = elevation > np.interp(azimuth, AZIMUTHS, _elevation_at(heights, rim), period=2 * np.pi)
    if not below.any():
        return 0.0
    height = float(np.median((radius - interpolated(skin, azimuth, elevation))[below]))
    return float(np.clip(0.5 * height, 0.0, 0.003 + 0.009 * spec.looseness))


def _stiff_crown(spec: HeadwearSpec, inner: Floats, rim: Floats) -> Floats:
    """(elevations, azimuths) a superellipse from the rim's width to the crown's height, with a fedora's creases."""
    power, top = POWERS[spec.kind], float(inner[-1].mean()) + spec.height_mm / 1000
    low = _elevation_at(inner, rim)
    wide = np.array([np.interp(low[i], ELEVATIONS, inner[:, i]) * np.cos(low[i]) for i in range(COLUMNS)]) * 1.01
    flat, high = np.maximum(np.cos(ELEVATIONS), 1e-6)[:, None], np.sin(np.maximum(ELEVATIONS, 0))[:, None]
    crown = ((flat / wide) ** power + (high / top) ** power) ** (-1 / power)
    if spec.kind == "fedora":
        x, y, z = np.moveaxis(directions(AZIMUTHS[None], ELEVATIONS[:, None]) * crown[..., None], -1, 0)
        crease = 0.013 * np.exp(-((x / 0.022) ** 2)) * smoothstep(z, 0.75 * top, 0.98 * top)
        pinch = 0.011 * np.exp(-(((np.abs(x) - 0.042) / 0.022) ** 2) - ((y + 0.06) / 0.028) ** 2)
        crown = crown - crease - pinch * smoothstep(z, 0.5 * top, 0.85 * top)
    return np.asarray(crown)


def _slack(spec: HeadwearSpec) -> Floats:
    """(elevations, azimuths) metres, 0 or more: a bag at the back of the crown, and soft folds."""
    rng = detail_stream(spec.seed, "folds")
    at = directions(AZIMUTHS[None], ELEVATIONS[:, None]) * 0.1
    folds = np.zeros(at.shape[:2])
    for _ in range(6):
        axis, phase = rng.standard_normal(3), 2 * np.pi * rng.random()
        folds += np.sin(at @ (axis / np.linalg.norm(axis)) * 2 * np.pi / (0.035 + 0.04 * rng.random()) + phase)
    high = smoothstep(np.broadcast_to(ELEVATIONS[:, None], folds.shape), 0.35, 1.1)
    bag = 0.034 * spec.looseness**1.5 * (0.55 + 0.45 * at[..., 1] / 0.1) if spec.kind == "beanie" else 0.0
    return np.asarray(high * (bag + 0.0012 * (0.3 + spec.looseness) * np.clip(folds / 2 + 0.8, 0, 3)))


def _worn_meshes(spec: HeadwearSpec, skull: HeadFrame, inner: Floats, low: Floats, high: Floats) -> list[WornMesh]:
    thick = spec.thickness_mm / 1000
    if spec.kind == "headband":
        meshes = [(_band(inner, low, high, thick), "headwear")]
    else:
        meshes = [(_crown(spec, inner, low, thick), "headwear")]
    ring = _rim_points(inner, low, thick)
    if spec.kind == "cap":
        meshes += [(_visor(spec, ring), "headwear")]
        meshes += [(blob(np.array([0, 0, inner[-1, 0] + thick]), np.diag([0.0065, 0.0065, 0.0028])), "headwear")]
    if spec.kind in ("fedora", "sunhat"):
        up = _elevation_at(inner, ring[:, 2] + 0.004)
        width = _elevation_at(inner, ring[:, 2] + 0.030)
        meshes += [(_band(inner + thick - 0.0004, up, width, 0.0014), "headwear trim")]
    if spec.kind == "headscarf":
        meshes += [(_knot(ring[COLUMNS // 2]), "headwear")]
    return [
        WornMesh(
            f"headwear {i}",
            skull.world(mesh[0]),
            mesh[1],
            PixelClass.HEADWEAR,
            material,
            {"base": mesh[0], "around": _around(mesh[0], ring)},
        )
        for i, (mesh, material) in enumerate(meshes)
    ]


def _around(local: Floats, ring: Floats) -> Floats:
    """(V, 3) sine and cosine of the azimuth, and the height above the rim, metres."""
    azimuth, _, _ = polar(local)
    height = local[:, 2] - np.interp(azimuth, AZIMUTHS, ring[:, 2], period=2 * np.pi)
    return np.stack([np.sin(azimuth), np.cos(azimuth), height], axis=1)


def _rows(radius: Floats, elevation: Floats) -> Floats:
    """(R, azimuths, 3) points of a surface at elevations (R, azimuths)."""
    azimuth = np.broadcast_to(AZIMUTHS, elevation.shape)
    size = interpolated(radius, azimuth.ravel(), elevation.ravel()).reshape(elevation.shape)
    return directions(azimuth, elevation) * size[..., None]


def _rim_points(inner: Floats, low: Floats, thick: float) -> Floats:
    """(azimuths, 3) the outside of the rim."""
    return _rows(inner + thick, low[None])[0]


def _crown(spec: HeadwearSpec, inner: Floats, low: Floats, thick: float) -> MeshArrays:
    """Outside, brim or cuff, rim and inside, from pole to pole."""
    share = (np.arange(1, ROWS + 1) / ROWS)[:, None]
    elevation = np.pi / 2 - share * (np.pi / 2 - low)
    outer = _rows(inner + thick, elevation)
    below = _rows(inner, elevation)[::-1]
    if spec.kind in BRIMMED:
        edge = _brim(spec, outer[-1], below[0], thick)
    elif spec.kind == "beanie":
        edge, outer = _cuff(spec, outer, inner, low, thick)
    else:
        edge = _hem(outer[-1], below[0])
    rings = np.concatenate([outer, edge, below])
    return sphere_like(np.array([0, 0, inner[-1, 0] + thick]), rings, np.array([0, 0, inner[-1, 0]]))


def _hem(outer: Floats, inner: Floats) -> Floats:
    """(3, azimuths, 3) a round edge from the outside of a rim to its inside."""
    middle, half = (outer + inner) / 2, (outer - inner) / 2
    drop = np.array([0.0, 0.0, -1.0]) * np.linalg.norm(half, axis=1)[:, None]
    return np.stack([middle + np.cos(a) * half + np.sin(a) * drop for a in np.pi * np.array([0.25, 0.5, 0.75])])


def _cuff(spec: HeadwearSpec, outer: Floats, inner: Floats, low: Floats, thick: float) -> tuple[Floats, Floats]:
    """A beanie's fold: rings from its upper edge down around the rim, and what of the outside shows above it."""
    rim = _rows(inner + thick, low[None])[0]
    top = _elevation_at(inner, rim[:, 2] + spec.height_mm / 1000)
    share = np.linspace(0, 1, 9)[:, None]
    away = interpolated(inner, AZIMUTHS, low) * 0 + 1.35 * thick
    fold = _rows(inner + thick + away[None], top + share * (low - top))
    start = _rows(inner + thick + 0.0002, top[None])[0]
    lip = _hem(fold[0], start)[::-1]
    lip[..., 2] += 2 * np.linalg.norm(fold[0] - start, axis=1) * np.array([0.35, 0.5, 0.35])[:, None]
    pole = np.pi / 2 - (np.arange(1, ROWS + 1) / ROWS)[:, None] * (np.pi / 2 - top)
    visible = _rows(inner + thick, pole)
    bottom = _hem(fold[-1], _rows(inner, low[None])[0])
    return np.concatenate([lip, fold, bottom]), visible


def _brim(spec: HeadwearSpec, outer: Floats, inner: Floats, thick: float) -> Floats:
    """(R, azimuths, 3) rings from the crown out over the brim, around its edge and back below."""
    away = np.stack([np.sin(AZIMUTHS), -np.cos(AZIMUTHS), np.zeros(COLUMNS)], axis=1)
    slope = np.tan(np.radians(48 * spec.droop)) * np.ones(COLUMNS)
    if spec.kind == "fedora":  # snapped down in front, turned up at the sides and the back
        slope = slope * (0.4 + 0.6 * np.cos(AZIMUTHS)) - 0.10 * np.sin(AZIMUTHS) ** 2
    if spec.kind == "sunhat":
        rng = detail_stream(spec.seed, "waves")
        first, second = 6.3 * rng.random(2)
        slope = slope + 0.07 * np.sin(3 * AZIMUTHS + first) + 0.05 * np.sin(5 * AZIMUTHS + second)
    width, half = spec.brim_mm / 1000, thick / 2
    share = np.array([0.02, 0.06, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 0.985, 1.0])
    fall = slope[None] * (share**1.25)[:, None] * width
    middle = outer[None] + share[:, None, None] * width * away[None] - fall[..., None] * np.array([0, 0, 1.0])
    middle = middle - np.array([0.0, 0.0, half])
    lift = half * np.sqrt(np.clip((1 - share) / 0.015, 0, 1))[:, None, None] * np.array([0, 0, 1.0])
    under = (middle - lift)[::-1][1:]
    corner = 0.5 * (under[-1] + inner) - np.array([0.0, 0.0, 0.25 * thick])
    return np.concatenate([middle + lift, under, corner[None]])


def _visor(spec: HeadwearSpec, ring: Floats) -> MeshArrays:
    """A cap's visor: a curved sheet with a round edge from the front of the rim."""
    count, reach = 41, np.radians(58)
    turn = np.linspace(-reach, reach, count)
    at = np.stack(
        [np.interp(turn, np.unwrap(np.concatenate([AZIMUTHS - 2 * np.pi, AZIMUTHS])), np.tile(c, 2)) for c in ring.T],
        axis=1,
    )
    width = spec.brim_mm / 1000 * np.maximum(np.cos(np.pi / 2 * turn / reach), 0.0) ** 0.55 + 0.003
    away = np.stack([0.45 * np.sin(turn), -np.ones(count), np.zeros(count)], axis=1)
    share = np.linspace(0, 1, 12)
    slope = np.tan(np.radians(6 + 26 * spec.droop)) + 0.30 * (turn / reach) ** 2
    base = at + np.stack([-np.sin(turn), np.cos(turn), np.zeros(count)], axis=1) * 0.0022
    sheet = base[:, None] + (share[None] * width[:, None])[..., None] * away[:, None]
    sheet[..., 2] -= (share[None] ** 1.2) * (width * slope)[:, None] - 0.0022
    half = 0.0013 * np.sqrt(np.clip((1 - share) / 0.03, 0.05, 1))[None, :, None] * np.array([0, 0, 1.0])
    rings = np.concatenate([sheet + half, (sheet - half)[:, ::-1]], axis=1)
    return outward(sphere_like(rings[0].mean(0), rings, rings[-1].mean(0)))


def _band(inner: Floats, low: Floats, high: Floats, thick: float) -> MeshArrays:
    """A ring of cloth between two elevations, slightly bulging, with round edges."""
    share = np.linspace(0, 1, 9)
    across = high + share[:, None] * (low - high)
    bulge = thick * np.clip(np.sin(np.pi * np.clip(share, 0.0, 1.0)), 0, 1) ** 0.35 + 0.0001
    outer = np.stack([_rows(inner + more, row[None])[0] for more, row in zip(bulge, across, strict=True)])
    return outward(ring_like(np.concatenate([outer, _rows(inner, across)[::-1]])))


def _knot(at: Floats) -> MeshArrays:
    """The knot at the nape and its two tails, which hang down behind the neck."""
    middle = at + np.array([0.0, 0.008, 0.0])
    parts = [blob(middle, np.diag([0.011, 0.0075, 0.0085]))]
    for side in (1, -1):
        drop = np.array(
            [[0, 0, 0], [0.010 * side, 0.008, -0.012], [0.018 * side, 0.012, -0.038], [0.020 * side, 0.014, -0.072]]
        )
        sizes = np.interp(np.linspace(0, 1, 14), [0, 0.25, 0.9, 1], [0.009, 0.021, 0.030, 0.026])
        profile = np.stack([rounded_box(size, 0.0022, 4.0, 16) for size in sizes])
        parts.append(outward(sweep(arc_path(middle + drop, 14), profile, np.array([0.0, 1.0, 0.0]))))
    return merged(*parts)


def outward(mesh: MeshArrays) -> MeshArrays:
    """A closed mesh with its faces turned to the outside."""
    vertices, faces = mesh
    a, b, c = np.moveaxis(vertices[faces] - vertices.mean(axis=0), 1, 0)
    return mesh if float((a * np.cross(b, c)).sum()) > 0 else (vertices, faces[:, ::-1])
