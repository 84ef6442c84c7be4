"""What hair has to keep clear of on a dressed head."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generator.components.garment import GarmentSpec
from generator.garment import garment_level
from generator.geometry.distance import DistanceField
from generator.hair.growth import Obstacle
from generator.hair.strands import Strands, smoothstep
from generator.head import HeadGeometry

Floats = NDArray[np.float64]


def hair_obstacle(head: HeadGeometry, field: DistanceField, garment: GarmentSpec) -> Obstacle:
    """The skin, thicker where the garment covers it (it stands off 5 mm more in its folds)."""
    thick = (garment.gap_mm + 2 * garment.thickness_mm + 6.5) / 1000
    cover = thick * smoothstep(garment_level(garment, head.skin.base), -0.012, 0.0)
    return Obstacle(field, cover, hang=float(head.landmarks["chin"][2]) + 0.03)


def framed_radius(head: HeadGeometry, hair: Strands | Floats | None) -> float:
    """Radius around the head's centre that holds the head and the hair above its middle, metres."""
    if hair is None:
        return head.radius
    points = (hair.points if isinstance(hair, Strands) else hair).reshape(-1, 3) - head.centre
    above = np.linalg.norm(points[points[:, 2] > 0], axis=1)
    return max(head.radius, 0.98 * float(above.max())) if len(above) else head.radius
