"""Distances of a registered template's landmarks from detected ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LandmarkCheck:
    """Distances of the template's landmarks from the detected ones.

    Attributes:
        median_mm: of all of them.
        distance_mm: name -> distance.
    """

    median_mm: float
    distance_mm: Mapping[str, float]

    @property
    def text(self) -> str:
        """The median, and the three that are farthest."""
        worst = sorted(self.distance_mm, key=lambda name: -self.distance_mm[name])[:3]
        names = ", ".join(f"{name} {self.distance_mm[name]:.0f} mm" for name in worst)
        return f"the template's landmarks lie {self.median_mm:.0f} mm from those in the images (median; {names})"

    def to_json(self) -> dict[str, Any]:
        """Rounded to a tenth of a millimetre."""
        distance = {name: round(value, 1) for name, value in self.distance_mm.items()}
        return {"median_mm": round(self.median_mm, 1), "distance_mm": distance}
