"""The obstacle that hair is grown around: the head's skin and the clothes on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from capture.geometry import Floats
from generator.geometry.distance import DistanceField
from generator.head import HeadGeometry
from generator.wear.clothing.cloth import Cloth, Surface


@dataclass(frozen=True, eq=False)
class Obstacle:
    """The volume that hair must not enter: the head, and what covers it.

    Attributes:
        field: signed distance to the head.
        cover: (V,) metres by which something (a garment) stands off the head's vertices.
        fine: finer fields of parts that are too thin for `field`, such as the ears.
        hang: height below which hair hangs freely, metres.
        shield: centre (3,) and radii (3,) of an ellipsoid in front of the face that hair goes around, or None.
    """

    field: DistanceField
    cover: Floats
    shield: tuple[Floats, Floats] | None = None
    hang: float = 0.0
    fine: tuple[DistanceField, ...] = ()

    def push(self, points: Floats, layer: Floats) -> Floats:
        """Points (N, 3) moved out to at least `layer` (N,) metres from the skin or what covers it."""
        for _ in range(2):
            near = self.field.near(points)
            needed = layer + np.where(near >= 0, self.cover[near], 0.0)
            lack = needed - self.field.distance(points)
            inside = np.flatnonzero(lack > 0)
            if not len(inside):
                break
            points = points.copy()
            points[inside] += self.field.gradient(points[inside]) * lack[inside, None]
        for fine in self.fine:
            points = _push_fine(fine, points, layer)
        return points

    def deflect(self, points: Floats) -> Floats:
        """Points (N, 3) moved out of the shield, sideways."""
        if self.shield is None:
            return points
        centre, radii = self.shield
        local = (points - centre) / radii
        depth = np.linalg.norm(local, axis=1)
        inside = np.flatnonzero((depth < 1) & (depth > 1e-6))
        points = points.copy()
        outward = local[inside].copy()
        outward[:, 2] = 0  # don't lift hair
        outward[:, 1] *= 0.3
        # The horizontal way out of the sphere |local + s outward| = 1.
        a = (outward**2).sum(axis=1)
        b = (local[inside] * outward).sum(axis=1)
        c = depth[inside] ** 2 - 1
        s = np.where(a > 1e-8, (-b + np.sqrt(np.maximum(b * b - a * c, 0))) / np.maximum(a, 1e-8), 0)
        points[inside] = centre + (local[inside] + outward * s[:, None]) * radii
        return points


def _push_fine(field: DistanceField, points: Floats, layer: Floats) -> Floats:
    """Points within reach of a fine field moved out of it; points deep behind its border are the coarse field's."""
    top = field.origin + field.spacing * (np.array(field.values.shape) - 1)
    near = np.flatnonzero(((points > field.origin) & (points < top)).all(axis=1))
    near = near[field.near(points[near]) >= 0]
    for _ in range(2):
        distance = field.distance(points[near])
        lack = layer[near] - distance
        inside = np.flatnonzero((lack > 0) & (distance > -0.006))
        if not len(inside):
            break
        chosen = near[inside]
        points = points.copy()
        points[chosen] += field.gradient(points[chosen]) * np.minimum(lack[inside], 0.004)[:, None]
    return points


def hair_obstacle(head: HeadGeometry, field: DistanceField, clothes: Sequence[Cloth]) -> Obstacle:
    """The skin of a head, thicker by what the clothes stand off where they cover it; `field` is the skin's."""
    triangles = head.skin.triangles
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]]).astype(np.int64)
    low = head.skin.base[:, 2] < -0.08
    edges = edges[low[edges].all(axis=1)]
    surface = Surface(field, len(head.skin.vertices), 0.0)
    if clothes:
        surface.add(np.concatenate([cloth.vertices for cloth in clothes]), edges)
    cover = np.where(surface.cover > 0, surface.cover + 0.0025, 0.0)
    return Obstacle(field, cover, hang=float(head.landmarks["chin"][2]) + 0.03)
