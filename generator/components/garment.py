"""Garments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capture import InputError
from generator.components import draw

KINDS: dict[str, float] = {"crew": 0.6, "turtleneck": 0.4}
PATTERNS: dict[str, float] = {"plain": 0.35, "stripes": 0.25, "checks": 0.2, "melange": 0.2}


@dataclass(frozen=True)
class GarmentSpec:
    """Attributes:
    kind: a key of `KINDS`.
    pattern: a key of `PATTERNS`.
    colour, accent: linear RGB of the fabric and of its pattern.
    scale_mm: of the pattern.
    gap_mm: least distance from the skin, 2.5 or more so that skin below is never within reach of the labels.
    thickness_mm: of the fabric.
    seed: of the pattern.
    """

    kind: str = "crew"
    pattern: str = "plain"
    colour: tuple[float, float, float] = (0.1, 0.15, 0.3)
    accent: tuple[float, float, float] = (0.6, 0.6, 0.6)
    scale_mm: float = 12.0
    gap_mm: float = 3.5
    thickness_mm: float = 1.5
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.pattern not in PATTERNS:
            raise InputError(f"garment {self.kind!r} {self.pattern!r}: use one of {', '.join(KINDS)} with one of "
                             f"{', '.join(PATTERNS)}")  # fmt: skip
        if self.gap_mm < 2.5:
            raise InputError(f"garment gap {self.gap_mm} mm: keep 2.5 mm or more from the skin")


def sample_garment(rng: np.random.Generator) -> GarmentSpec:
    """Any kind in any colour."""
    kind, pattern = draw.pick(rng, KINDS), draw.pick(rng, PATTERNS)
    return GarmentSpec(kind, pattern, _colour(rng), _colour(rng), draw.uniform(rng, 8, 30), draw.uniform(rng, 3.0, 5.0),
                       draw.uniform(rng, 1.2, 2.2), draw.integer(rng))  # fmt: skip


def _colour(rng: np.random.Generator) -> tuple[float, float, float]:
    """Linear RGB from a hue, a modest saturation and a value."""
    hue, saturation, value = draw.uniform(rng, 0, 6), draw.uniform(rng, 0.0, 0.8), draw.uniform(rng, 0.03, 0.6)
    channels = [min(max(abs((hue + shift) % 6 - 3) - 1, 0), 1) for shift in (0, 4, 2)]
    red, green, blue = (round(value * (1 - saturation + saturation * c), draw.DIGITS) for c in channels)
    return red, green, blue
