"""Distances of a registered template's landmarks from detected ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registration.template import Template
from scans.landmarks.names import STEADY

FEWEST = 5  # landmarks that tell something
_DOUBTFUL_MM, _WRONG_MM = 10.0, 40.0  # of the median: 2 to 3 where all is well


@dataclass(frozen=True)
class LandmarkCheck:
    """Distances of the template's landmarks from the detected ones.

    Attributes:
        median_mm: of all of them.
        distance_mm: name -> distance.
    """

    median_mm: float
    distance_mm: Mapping[str, float]

    @classmethod
    def of(cls, template: Template, vertices: NDArray, detected: Mapping[str, NDArray]) -> LandmarkCheck | None:
        """Of a registered template, vertices (V, 3), metres; None where it has too few of the steady landmarks."""
        ours = {name: template.landmark(vertices, name) for name in detected if name in STEADY}
        distance = {
            name: 1000 * float(np.linalg.norm(place - detected[name]))
            for name, place in ours.items()
            if place is not None
        }
        return None if len(distance) < FEWEST else cls(float(np.median(list(distance.values()))), distance)

    @property
    def doubtful(self) -> bool:
        """True where the template may have missed the face."""
        return self.median_mm >= _DOUBTFUL_MM

    @property
    def wrong(self) -> bool:
        """True where it lies elsewhere, or upside down."""
        return self.median_mm >= _WRONG_MM

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
