"""Garments: cloth around neck, shoulders and chest, derived from the sampled body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets.head_model import vertex_normals
from generator.components.garment import GarmentSpec
from generator.geometry.clip import border_edges, clip_mesh, smooth
from generator.geometry.distance import DistanceField
from generator.hair.strands import generator_for, smoothstep
from generator.head import HeadGeometry

Floats = NDArray[np.float64]

# The collar on the mean head, metres: height at the front (y = 0.02) and rise towards the nape.
COLLARS: dict[str, tuple[float, float]] = {"crew": (-0.192, 0.42), "turtleneck": (-0.152, 0.40)}


@dataclass(frozen=True, eq=False)
class Cloth:
    """A garment's mesh, inside and outside and the rims between.

    Attributes:
        vertices: (V, 3) metres.
        triangles: (F, 3).
        base: (V, 3) positions on the mean head, for patterns.
        collar: (V,) 1 on the collar's band, 0 elsewhere.
    """

    vertices: Floats
    triangles: NDArray[np.int64]
    base: Floats
    collar: Floats


def garment_level(spec: GarmentSpec, base: Floats) -> Floats:
    """(V,) how far below the collar a point of the mean head lies, metres; negative above it."""
    front, rise = COLLARS[spec.kind]
    return np.asarray(front + rise * np.clip(base[:, 1] - 0.02, -0.05, 0.12) - base[:, 2])


def make_garment(spec: GarmentSpec, head: HeadGeometry, field: DistanceField) -> Cloth:
    """Cut the body below the collar out, lay it off the skin, drape and thicken it."""
    skin = head.skin
    level = garment_level(spec, skin.base)
    pairs, share, triangles = clip_mesh(skin.triangles, level)

    def carried(values: Floats) -> Floats:
        weight = share.reshape(-1, *(1,) * (values.ndim - 1))
        return np.asarray(values[pairs[:, 0]] * (1 - weight) + values[pairs[:, 1]] * weight)

    body, base, depth = carried(skin.vertices), carried(skin.base), carried(level)
    gap, thickness = spec.gap_mm / 1000, spec.thickness_mm / 1000
    normals = smooth(carried(skin.normals), triangles, 20)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    loose = smoothstep(depth, 0.004, 0.05)
    inner = body + normals * (gap + 0.0008 + loose * (0.003 + _folds(spec, base)))[:, None]
    inner = smooth(inner, triangles, 12)
    inner = _clear(inner, field, gap + 0.0006)
    band = 1 - smoothstep(depth, 0.016, 0.019)
    cloth_normals = smooth(vertex_normals(inner, triangles), triangles, 3)
    outer = inner + cloth_normals * (thickness * (1 + 0.8 * band))[:, None]
    return _shell(inner, outer, triangles, base, band)


def _folds(spec: GarmentSpec, base: Floats) -> Floats:
    """(V,) metres, 0 or more: soft folds."""
    rng = generator_for(spec.seed, "folds")
    height = np.zeros(len(base))
    for _ in range(5):
        axis, phase = rng.standard_normal(3) * np.array([1, 0.6, 0.5]), 2 * np.pi * rng.random()
        length = 0.03 + 0.06 * rng.random()
        height += np.sin(base @ (axis / np.linalg.norm(axis)) * 2 * np.pi / length + phase)
    return np.asarray(0.0012 * np.clip(height / 2 + 0.8, 0, 3))


def _clear(points: Floats, field: DistanceField, least: float) -> Floats:
    """Points moved out to at least `least` metres from the skin."""
    for _ in range(3):
        lack = least - field.distance(points)
        near = np.flatnonzero(lack > 0)
        if not len(near):
            break
        points = points.copy()
        points[near] += field.gradient(points[near]) * lack[near, None]
    return points


def _shell(inner: Floats, outer: Floats, triangles: NDArray[np.int64], base: Floats, band: Floats) -> Cloth:
    """Both sides and what joins their borders."""
    count = len(inner)
    start, end = border_edges(triangles).T
    rims = np.concatenate([np.stack([end, start, start + count], 1), np.stack([end, start + count, end + count], 1)])
    faces = np.concatenate([triangles[:, ::-1], triangles + count, rims])
    # `rims` runs along the border of the outer side backwards, so that neighbours agree.
    return Cloth(np.concatenate([inner, outer]), faces, np.concatenate([base, base]), np.concatenate([band, band]))
