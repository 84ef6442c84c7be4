"""Options of labels."""

from __future__ import annotations

import math
from dataclasses import dataclass

from capture import HeadSurface, InputError


@dataclass(frozen=True)
class LabelSettings:
    """Options of labels: the rule by which a vertex is skin.

    Attributes:
        threshold_mm: a vertex nearer than this to the true surface is skin, millimetres.
        skin_parts: parts of the head that count as skin, with commas: some of skin,eyes,teeth,tongue. All of them is
            the paper's rule.
    """

    threshold_mm: float = 1.5
    skin_parts: tuple[str, ...] = ("skin",)

    def __post_init__(self) -> None:
        if not (math.isfinite(self.threshold_mm) and self.threshold_mm > 0):
            raise InputError(f"`threshold_mm` {self.threshold_mm}: it must be positive")
        unknown = sorted(set(self.skin_parts) - set(HeadSurface.PARTS))
        if unknown or not self.skin_parts:
            known = ", ".join(HeadSurface.PARTS)
            raise InputError(f"`skin_parts` {', '.join(unknown) or '(none)'}: name some of {known}")
