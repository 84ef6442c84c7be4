"""What hair has to keep clear of on a dressed head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from generator.components.garment import GarmentSpec
from generator.geometry.distance import DistanceField
from generator.hair.growth import Obstacle
from generator.hair.strands import Strands
from generator.head import HeadGeometry
from generator.wear.clothing.cloth import Cloth, Surface
from generator.wear.clothing.garment import make_garment

Floats = NDArray[np.float64]


def hair_obstacle(
    head: HeadGeometry, field: DistanceField, garment: GarmentSpec, clothes: Sequence[Cloth] | None = None
) -> Obstacle:
    """The skin, thicker by what the clothes stand off where they cover it; `clothes` are made where not given."""
    clothes = make_garment(garment, head, field) if clothes is None else clothes
    triangles = head.skin.triangles
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]]).astype(np.int64)
    low = head.skin.base[:, 2] < -0.08
    edges = edges[low[edges].all(axis=1)]
    surface = Surface(field, len(head.skin.vertices), 0.0)
    if clothes:
        surface.add(np.concatenate([piece.vertices for piece in clothes]), edges)
    cover = np.where(surface.cover > 0, surface.cover + 0.0025, 0.0)
    return Obstacle(field, cover, hang=float(head.landmarks["chin"][2]) + 0.03)


def framed_radius(head: HeadGeometry, hair: Strands | Floats | None) -> float:
    """Radius around the head's centre that holds the head and the hair above its middle, metres."""
    if hair is None:
        return head.radius
    points = (hair.points if isinstance(hair, Strands) else hair).reshape(-1, 3) - head.centre
    above = np.linalg.norm(points[points[:, 2] > 0], axis=1)
    return max(head.radius, 0.98 * float(above.max())) if len(above) else head.radius
