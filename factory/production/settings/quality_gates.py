"""Quality gates: limits that the reconstruction of a head must meet to become part of a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from capture import InputError
from capture.nested import number_at


@dataclass(frozen=True)
class QualityGates:
    """Limits on a head's `quality.json`; a head that misses one is rejected, and 0 switches a gate off.

    They are absolute, so that whether a head passes depends on the head alone, not on those made before it. An empty
    scan and one that doesn't lie on the true surface are refused by the stages themselves.

    Attributes:
        min_face: least share of the face that has scan within 1.5 mm, of the face that three views see clearly.
        min_skin: least share of the scan's vertices that are skin.
        max_error_mm: largest median distance to the true surface of vertices that show skin, mm.
    """

    min_face: float = 0.5
    min_skin: float = 0.02
    max_error_mm: float = 2.0

    def __post_init__(self) -> None:
        for name in ("min_face", "min_skin"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"`{name}` {getattr(self, name)}: a share between 0 and 1 is needed")
        if not self.max_error_mm >= 0:
            raise InputError(f"`max_error_mm` {self.max_error_mm}: it can't be negative")

    def reasons(self, quality: Mapping[str, Any]) -> list[str]:
        """The reasons, with numbers, to reject a head with this `quality.json`; empty where it passes."""
        reasons = []
        face = number_at(quality, "completeness", "face_mask_clear", "within_1_5_mm")
        if self.min_face and (face is None or face < self.min_face):
            needed = _percent(self.min_face)
            reasons.append(f"{_percent(face)} of the face has scan within 1.5 mm, {needed} are needed (min_face)")
        skin = number_at(quality, "skin_share")
        if self.min_skin and (skin is None or skin < self.min_skin):
            needed = _percent(self.min_skin)
            reasons.append(f"{_percent(skin)} of the vertices are skin, {needed} are needed (min_skin)")
        error = number_at(quality, "accuracy", "skin_pixels", "median_mm")
        if self.max_error_mm and error is not None and error > self.max_error_mm:
            allowed = f"{self.max_error_mm:g} mm are allowed (max_error_mm)"
            reasons.append(f"skin lies {error:.2f} mm from the true surface, {allowed}")
        return reasons


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"
