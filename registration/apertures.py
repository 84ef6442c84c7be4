"""Apertures of mouth and eyes as images show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PAIRS = {
    "mouth": ("mouth_inner_2", "mouth_inner_6"),
    "left_eye": ("left_eye_1", "left_eye_5"),
    "right_eye": ("right_eye_2", "right_eye_4"),
}
"""Landmarks whose distance tells how far something is open: the middle of the lips, the inner half of the lids."""

# The detector puts lids nearer to one another than the head model does: 0.2 to 3.3 mm, 1 mm in the median of ten eyes.
_MORE_M = {"mouth": 0.0, "left_eye": 0.001, "right_eye": 0.001}
_WIDEST_M = 0.06  # what is wider is a mistake
_SHUT_M = 0.0025  # between the lips' landmarks: what is less is shut, by seven mouths


@dataclass(frozen=True)
class Apertures:
    """Metres between the landmarks of `PAIRS`, as the head model has them; those that are not known are missing."""

    metres: Mapping[str, float]

    @classmethod
    def of(cls, landmarks: Mapping[str, NDArray]) -> Apertures:
        """Of detected landmarks, name -> (3,) metres."""
        found = {}
        for name, (one, two) in PAIRS.items():
            if one in landmarks and two in landmarks:
                wide = float(np.linalg.norm(landmarks[one] - landmarks[two])) + _MORE_M[name]
                if wide < _WIDEST_M:
                    found[name] = wide
        return cls(found)

    @property
    def mouth_open(self) -> bool:
        """True where the lips are known to be apart."""
        return self.metres.get("mouth", 0.0) > _SHUT_M
