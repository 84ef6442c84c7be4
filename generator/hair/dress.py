"""What hair has to keep clear of on a dressed head."""

from __future__ import annotations

from generator.components.garment import GarmentSpec
from generator.garment import garment_level
from generator.geometry.distance import DistanceField
from generator.hair.growth import Obstacle
from generator.hair.strands import smoothstep
from generator.head import HeadGeometry


def hair_obstacle(head: HeadGeometry, field: DistanceField, garment: GarmentSpec) -> Obstacle:
    """The skin, thicker where the garment covers it (it stands off 5 mm more in its folds)."""
    thick = (garment.gap_mm + 2 * garment.thickness_mm + 6.5) / 1000
    cover = thick * smoothstep(garment_level(garment, head.skin.base), -0.012, 0.0)
    return Obstacle(field, cover, hang=float(head.landmarks["chin"][2]) + 0.03)
