"""The scalp's hair: its density over the skin, and its strands in the style of its family."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from capture.geometry import Floats
from generator.components.hair import HairSpec
from generator.geometry.distance import DistanceField, distance_field
from generator.hair.obstacle import Obstacle
from generator.hair.skull import fringe_region, skull_of
from generator.hair.strands import Strands, scatter, smoothstep, taper
from generator.hair.styles import STYLES
from generator.head import HeadGeometry
from generator.streams import detail_stream


def scalp_density(spec: HairSpec, head: HeadGeometry, rng: np.random.Generator) -> Floats:
    """(V,) share of the full density: the scalp with a soft, slightly ragged hairline, less what went bald."""
    mask, base = head.skin.masks["scalp"], head.skin.base
    waves = np.zeros(len(base))
    for _ in range(6):
        axis, phase = rng.standard_normal(3), 2 * np.pi * rng.random()
        waves += np.sin(base @ (axis / np.linalg.norm(axis)) * 2 * np.pi / 0.018 + phase)
    front = smoothstep(-base[:, 1], -0.03, 0.02)
    shift = spec.hairline_mm / 10.0 * front
    # A lower or ragged hairline ends with the region: no hair on the face.
    density = smoothstep(mask - shift + 0.05 * waves, 0.25, 1.0) * smoothstep(mask, 0.02, 0.2)
    return np.asarray(density * (1 - _bald(spec, base, waves)))


def _bald(spec: HairSpec, base: Floats, waves: Floats) -> Floats:
    """(V,) 0 to 1 on the mean head: temples that recede to a bare top, and a bare crown (Norwood's pattern)."""
    x, y, z = np.abs(base[:, 0]), base[:, 1], base[:, 2]
    ragged = 0.0015 * waves
    # Temples: two lobes that grow backwards and meet over the forehead.
    back = -0.035 + 0.115 * spec.recession
    lobe = np.hypot((x - 0.042 + 0.034 * spec.recession**2) / 0.75, np.maximum(y - back, -0.01)) + ragged
    begun = smoothstep(np.full(1, spec.recession), 0.05, 0.2)
    temples = (1 - smoothstep(lobe, 0.012, 0.030)) * smoothstep(z, 0.030, 0.055) * begun
    passed = (1 - smoothstep(y + ragged, back - 0.004, back + 0.012)) * smoothstep(z, 0.045, 0.062)
    island = 1 - smoothstep(np.full(1, spec.recession), 0.55, 0.85)  # the tuft in the middle goes last
    lobes = np.maximum(temples, passed * np.maximum(smoothstep(x, 0.016, 0.034) * (spec.recession > 0.2), 1 - island))
    crown = np.hypot(np.hypot(x, 1.0 * (y - 0.135)), 0.8 * np.minimum(z - 0.085, 0)) + ragged
    reach = 0.008 + 0.055 * spec.crown
    bare = (1 - smoothstep(crown, reach - 0.010, reach + 0.012)) * min(2.5 * spec.crown, 1.0)
    return np.asarray(np.maximum(0.97 * lobes, 0.94 * bare))


def root_shade(spec: HairSpec, head: HeadGeometry) -> Floats:
    """(V,) 0 to 1, how much the roots darken the scalp: dark hair more, most under dense hair."""
    if spec.family == "none":
        return np.zeros(len(head.skin.vertices))
    melanin = spec.colour.melanin * (1 - 0.6 * spec.colour.dyed)
    amount = min(1.4 * melanin, 1.0) * (1 - 0.8 * spec.colour.grey) * (0.6 if spec.family == "buzz" else 1.0)
    return amount * scalp_density(spec, head, detail_stream(spec.seed, "scalp"))


def grow_scalp(spec: HairSpec, head: HeadGeometry, obstacle: Obstacle) -> Strands | None:
    """The scalp hair of a spec, or None without any."""
    if spec.family == "none" or spec.strands == 0:
        return None
    rng = detail_stream(spec.seed, "scalp")
    density = scalp_density(spec, head, rng)
    if spec.family == "fringe":  # which is seen against the forehead
        density = density * (0.5 + 0.5 * fringe_region(head.skin.base))
    roots = scatter(head.skin, density, spec.strands, rng)
    if not len(roots):
        return None
    obstacle = replace(obstacle, fine=ear_fields(head))
    points, tone = STYLES[spec.family](spec, roots, skull_of(head), head, obstacle, rng)
    radii = taper(len(points), points.shape[1], spec.radius_mm / 1000, 0.35, rng)
    return Strands(points, radii, rng.random(len(points)), tone)


def ear_fields(head: HeadGeometry) -> tuple[DistanceField, ...]:
    """Fields of 2 mm around the ears, which are thinner than the head's own field resolves."""
    ears = head.skin.masks.get("ears")
    if ears is None:
        return ()
    fields = []
    for sign in (1, -1):
        mine = (ears > 0.3) & (sign * head.skin.base[:, 0] > 0)
        if mine.any():
            fields.append(distance_field(head.skin.vertices[mine], head.skin.normals[mine], 0.002))
    return tuple(fields)
