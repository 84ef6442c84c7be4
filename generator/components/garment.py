"""Garments."""

from __future__ import annotations

from dataclasses import dataclass

from assets.parameter_sampler import DIGITS, ParameterSampler
from capture import InputError
from generator.components.limits import SEED, check_colours, check_limits
from generator.components.person import Person

KINDS: dict[str, float] = {"tshirt": 0.2, "vneck": 0.18, "tank": 0.12, "shirt": 0.14, "turtleneck": 0.09,
                           "hoodie": 0.11, "jacket": 0.1, "scarf": 0.06}  # fmt: skip
PATTERNS: dict[str, float] = {
    "plain": 0.34,
    "stripes": 0.16,
    "checks": 0.1,
    "tartan": 0.08,
    "melange": 0.14,
    "dots": 0.08,
    "floral": 0.1,
}
FABRICS: dict[str, float] = {"jersey": 0.35, "knit": 0.18, "denim": 0.14, "wool": 0.15, "leather": 0.06, "satin": 0.12}

# Hue (0 to 1), saturation and value of what clothes are dyed in, with odds: dark and muted colours before bright ones.
DYES: dict[str, tuple[float, tuple[float, float, float]]] = {
    "black": (0.16, (0.0, 0.0, 0.018)), "charcoal": (0.1, (0.6, 0.1, 0.06)), "grey": (0.1, (0.6, 0.05, 0.22)),
    "white": (0.13, (0.12, 0.03, 0.72)), "navy": (0.13, (0.62, 0.75, 0.07)), "denim blue": (0.06, (0.6, 0.6, 0.2)),
    "beige": (0.06, (0.1, 0.38, 0.45)), "brown": (0.05, (0.06, 0.65, 0.11)), "olive": (0.05, (0.19, 0.6, 0.11)),
    "burgundy": (0.04, (0.97, 0.85, 0.12)), "red": (0.03, (0.0, 0.9, 0.4)), "green": (0.03, (0.4, 0.7, 0.13)),
    "sky": (0.03, (0.57, 0.5, 0.55)), "pink": (0.02, (0.95, 0.5, 0.6)), "mustard": (0.01, (0.11, 0.9, 0.45)),
}  # fmt: skip


@dataclass(frozen=True)
class GarmentSpec:
    """Attributes:
    kind: a key of `KINDS`.
    pattern: a key of `PATTERNS`.
    colour, accent: linear RGB of the fabric and of its pattern.
    scale_mm: of the pattern.
    gap_mm: least distance from the skin, 2.5 or more so that skin below is never within reach of the labels.
    thickness_mm: of the fabric.
    seed: of pattern and folds.
    asset: id of a library asset that is worn instead, or "".
    fabric: a key of `FABRICS`.
    looseness: 0 lies on the body, 1 hangs over its hollows.
    folds: 0 smooth to 1 creased.
    collar_mm: height of the collar, where there is one.
    opening: 0 closed to 1 open, of necklines, collars and fronts.
    inner: linear RGB of what is worn below a jacket or scarf, and of drawstrings and buttons.
    """

    kind: str = "tshirt"
    pattern: str = "plain"
    colour: tuple[float, float, float] = (0.1, 0.15, 0.3)
    accent: tuple[float, float, float] = (0.6, 0.6, 0.6)
    scale_mm: float = 12.0
    gap_mm: float = 3.5
    thickness_mm: float = 1.5
    seed: int = 0
    asset: str = ""
    fabric: str = "jersey"
    looseness: float = 0.5
    folds: float = 0.5
    collar_mm: float = 40.0
    opening: float = 0.3
    inner: tuple[float, float, float] = (0.6, 0.6, 0.6)

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.pattern not in PATTERNS or self.fabric not in FABRICS:
            raise InputError(
                f"garment {self.kind!r} {self.pattern!r} {self.fabric!r}: use one of {', '.join(KINDS)}; "
                f"with one of {', '.join(PATTERNS)}; of {', '.join(FABRICS)}"
            )
        if self.gap_mm < 2.5:
            raise InputError(f"garment gap {self.gap_mm} mm: keep 2.5 mm or more from the skin")
        check_colours("garment", self, "colour", "accent", "inner")
        check_limits("garment", self, {"gap_mm": (2.5, 15), "thickness_mm": (0.5, 6), "looseness": (0, 1),
                                       "folds": (0, 1), "opening": (0, 1), "collar_mm": (15, 90), "scale_mm": (1, 200),
                                       "seed": SEED})  # fmt: skip


def sample_garment(sampler: ParameterSampler, person: Person) -> GarmentSpec:
    """Any kind of any fabric in a colour that clothes have, on everyone."""
    kind, pattern = sampler.choice("kind", KINDS), sampler.choice("pattern", PATTERNS)
    colour, accent = sample_fabric_colour(sampler), sample_fabric_colour(sampler, "accent_")
    return GarmentSpec(
        kind, pattern, colour, accent, sampler.number("scale_mm", 8, 30), sampler.number("gap_mm", 3.0, 4.5),
        sampler.number("thickness_mm", 1.2, 2.2), sampler.seed(), "", sampler.choice("fabric", FABRICS),
        sampler.number("looseness", 0, 1), sampler.number("folds", 0, 1), sampler.number("collar_mm", 28, 60),
        sampler.number("opening", 0, 1), sample_fabric_colour(sampler, "inner_"),
    )  # fmt: skip


def sample_fabric_colour(sampler: ParameterSampler, prefix: str = "") -> tuple[float, float, float]:
    """Linear RGB of a dye, or of the hue, saturation and value that are asked for."""
    dye = DYES[sampler.choice(f"{prefix}dye", {name: odds for name, (odds, _) in DYES.items()})][1]
    hue = 6 * sampler.number(f"{prefix}hue", dye[0] - 0.03, dye[0] + 0.03)
    saturation = sampler.number(f"{prefix}saturation", 0.8 * dye[1], min(1.15 * dye[1], 1))
    value = sampler.number(f"{prefix}value", 0.75 * dye[2], 1.25 * dye[2])
    channels = [min(max(abs((hue + shift) % 6 - 3) - 1, 0), 1) for shift in (0, 4, 2)]
    red, green, blue = (round(value * (1 - saturation + saturation * c), DIGITS) for c in channels)
    return red, green, blue
