"""Which heads are good enough for a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from capture import InputError
from capture.nested import number_at


@dataclass(frozen=True)
class Gates:
    """What a head's reconstruction must reach; 0 switches a gate off.

    Absolute, so that whether a head passes depends on the head alone, not on those made before it. An empty scan and
    one that doesn't lie on the true surface are refused by the stages themselves.

    Attributes:
        min_face: of the face that three views see clearly, the share that has scan within 1.5 mm.
        min_skin: share of the scan's vertices that are skin.
        max_error_mm: median distance to the true surface of vertices that show skin.
    """

    min_face: float = 0.5
    min_skin: float = 0.02
    max_error_mm: float = 2.0

    def __post_init__(self) -> None:
        for name in ("min_face", "min_skin"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"gate {name} {getattr(self, name)}: a share between 0 and 1 is needed")
        if not self.max_error_mm >= 0:
            raise InputError(f"gate max_error_mm {self.max_error_mm}: it can't be negative")

    def reasons(self, quality: Mapping[str, Any]) -> list[str]:
        """Why a head with this `quality.json` is not good enough, with the numbers; empty where it is."""
        found = []
        face = number_at(quality, "completeness", "face_mask_clear", "within_1_5_mm")
        if self.min_face and (face is None or face < self.min_face):
            found.append(f"{_percent(face)} of the face has scan within 1.5 mm, {_percent(self.min_face)} are needed")
        skin = number_at(quality, "skin_share")
        if self.min_skin and (skin is None or skin < self.min_skin):
            found.append(f"{_percent(skin)} of the vertices are skin, {_percent(self.min_skin)} are needed")
        error = number_at(quality, "accuracy", "skin_pixels", "median_mm")
        if self.max_error_mm and error is not None and error > self.max_error_mm:
            found.append(f"skin lies {error:.2f} mm from the true surface, {self.max_error_mm:g} mm are allowed")
        return found


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"
