"""Garments."""

from __future__ import annotations

from dataclasses import dataclass

from assets.draw import DIGITS, Draw
from capture import InputError

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
    asset: id of a library asset that is worn instead, or "".
    """

    kind: str = "crew"
    pattern: str = "plain"
    colour: tuple[float, float, float] = (0.1, 0.15, 0.3)
    accent: tuple[float, float, float] = (0.6, 0.6, 0.6)
    scale_mm: float = 12.0
    gap_mm: float = 3.5
    thickness_mm: float = 1.5
    seed: int = 0
    asset: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.pattern not in PATTERNS:
            raise InputError(f"garment {self.kind!r} {self.pattern!r}: use one of {', '.join(KINDS)} with one of "
                             f"{', '.join(PATTERNS)}")  # fmt: skip
        if self.gap_mm < 2.5:
            raise InputError(f"garment gap {self.gap_mm} mm: keep 2.5 mm or more from the skin")


def sample_garment(draw: Draw) -> GarmentSpec:
    """Any kind in any colour."""
    kind, pattern = draw.choice("kind", KINDS), draw.choice("pattern", PATTERNS)
    colour, accent = sample_fabric_colour(draw), sample_fabric_colour(draw)
    return GarmentSpec(kind, pattern, colour, accent, draw.number("scale_mm", 8, 30), draw.number("gap_mm", 3.0, 5.0),
                       draw.number("thickness_mm", 1.2, 2.2), draw.seed())  # fmt: skip


def sample_fabric_colour(draw: Draw) -> tuple[float, float, float]:
    """Linear RGB from a hue, a modest saturation and a value."""
    hue, saturation = 6 * draw.number("hue", 0, 1), draw.number("saturation", 0.0, 0.8)
    value = draw.number("value", 0.03, 0.6)
    channels = [min(max(abs((hue + shift) % 6 - 3) - 1, 0), 1) for shift in (0, 4, 2)]
    red, green, blue = (round(value * (1 - saturation + saturation * c), DIGITS) for c in channels)
    return red, green, blue
