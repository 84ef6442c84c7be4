"""Headwear: hats, caps, bands and scarves."""

from __future__ import annotations

from dataclasses import dataclass

from assets.parameter_sampler import ParameterSampler
from capture import InputError
from generator.components.garment import sample_fabric_colour
from generator.components.limits import SEED, check_colours, check_limits
from generator.components.person import Person

KINDS: dict[str, float] = {
    "none": 0.75,
    "cap": 0.06,
    "beanie": 0.055,
    "headband": 0.025,
    "fedora": 0.02,
    "bucket": 0.025,
    "sunhat": 0.015,
    "headscarf": 0.05,
}
FABRICS = ("cotton", "knit", "felt", "straw", "silk")
PATTERNS: dict[str, float] = {"plain": 0.5, "stripes": 0.15, "checks": 0.1, "melange": 0.15, "print": 0.1}

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class HeadwearSpec:
    """Attributes:
    kind: a key of `KINDS`.
    fabric: one of `FABRICS`.
    pattern: a key of `PATTERNS`.
    colour, accent: linear RGB of the fabric and of its pattern, band or stitches.
    scale_mm: of the pattern.
    forehead: share of the forehead that is bare, 0 down to just above the brows, 1 up to the hairline.
    tilt_deg: roll to the subject's left, degrees.
    height_mm: of the crown's top above the skull; of a headband, its width; of a beanie, its cuff.
    brim_mm: width of brim or visor.
    droop: of the brim, 0 flat or bent up, 1 steep.
    looseness: 0 tight to 1 slack, with folds and room for hair.
    gap_mm: least distance from the skin, 2.5 or more.
    thickness_mm: of the fabric.
    seed: of folds and pattern.
    asset: id of a library asset that is worn instead, or "".
    """

    kind: str = "none"
    fabric: str = "cotton"
    pattern: str = "plain"
    colour: Colour = (0.05, 0.06, 0.1)
    accent: Colour = (0.5, 0.5, 0.5)
    scale_mm: float = 10.0
    forehead: float = 0.5
    tilt_deg: float = 0.0
    height_mm: float = 20.0
    brim_mm: float = 60.0
    droop: float = 0.3
    looseness: float = 0.3
    gap_mm: float = 3.5
    thickness_mm: float = 2.0
    seed: int = 0
    asset: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.fabric not in FABRICS or self.pattern not in PATTERNS:
            raise InputError(
                f"headwear {self.kind!r} {self.fabric!r} {self.pattern!r}: use one of {', '.join(KINDS)} "
                f"of {', '.join(FABRICS)} with {', '.join(PATTERNS)}"
            )
        if self.gap_mm < 2.5:
            raise InputError(f"headwear gap {self.gap_mm} mm: keep 2.5 mm or more from the skin")
        check_colours("headwear", self, "colour", "accent")
        check_limits("headwear", self, {"gap_mm": (2.5, 15), "thickness_mm": (0.3, 10), "height_mm": (0, 150),
                                        "brim_mm": (0, 200), "scale_mm": (1, 200), "forehead": (0, 1), "droop": (0, 1),
                                        "looseness": (0, 1), "tilt_deg": (-20, 20), "seed": SEED})  # fmt: skip


Range = tuple[float, float]
_HAT: dict[str, Range] = {
    "forehead": (0.15, 0.75),
    "tilt_deg": (-5, 5),
    "looseness": (0.0, 0.5),
    "thickness_mm": (1.6, 2.4),
    "scale_mm": (6, 22),
}
RANGES: dict[str, dict[str, Range]] = {
    "none": _HAT | {"height_mm": (20, 20), "brim_mm": (60, 60), "droop": (0.3, 0.3)},
    "cap": _HAT | {"forehead": (0.3, 0.75), "height_mm": (8, 18), "brim_mm": (62, 80), "droop": (0.1, 0.7)},
    "beanie": _HAT
    | {
        "forehead": (0.1, 0.9),
        "height_mm": (35, 65),
        "brim_mm": (0, 0),
        "droop": (0, 0),
        "looseness": (0.0, 1.0),
        "thickness_mm": (2.2, 4.0),
    },
    "headband": _HAT
    | {"forehead": (0.45, 1.0), "height_mm": (28, 75), "brim_mm": (0, 0), "droop": (0, 0), "thickness_mm": (1.8, 3.5)},
    "fedora": _HAT
    | {"forehead": (0.3, 0.75), "tilt_deg": (-8, 8), "height_mm": (28, 48), "brim_mm": (42, 68), "droop": (0.1, 0.5)},
    "bucket": _HAT | {"forehead": (0.25, 0.75), "height_mm": (12, 28), "brim_mm": (45, 68), "droop": (0.55, 1.0)},
    "sunhat": _HAT | {"forehead": (0.35, 0.75), "height_mm": (14, 36), "brim_mm": (80, 130), "droop": (0.1, 0.6)},
    "headscarf": _HAT
    | {"forehead": (0.2, 0.85), "height_mm": (2, 6), "brim_mm": (0, 0), "droop": (0, 0), "thickness_mm": (0.9, 1.3)},
}
"""Ranges that each kind draws evenly from."""
FABRIC_WEIGHTS: dict[str, dict[str, float]] = {
    "none": {"cotton": 1.0},
    "cap": {"cotton": 0.85, "felt": 0.15},
    "beanie": {"knit": 1.0},
    "headband": {"cotton": 0.4, "knit": 0.45, "silk": 0.15},
    "fedora": {"felt": 0.75, "straw": 0.25},
    "bucket": {"cotton": 0.85, "felt": 0.15},
    "sunhat": {"straw": 0.7, "cotton": 0.3},
    "headscarf": {"cotton": 0.6, "silk": 0.4},
}
_MOSTLY_PLAIN = {"plain": 0.8, "melange": 0.2}
PATTERN_WEIGHTS: dict[str, dict[str, float]] = {
    "fedora": _MOSTLY_PLAIN,
    "sunhat": _MOSTLY_PLAIN,
    "cap": {"plain": 0.7, "melange": 0.15, "checks": 0.1, "print": 0.05},
    "beanie": {"plain": 0.45, "stripes": 0.3, "melange": 0.25},
    "headscarf": {"plain": 0.35, "melange": 0.1, "print": 0.4, "checks": 0.15},
}


def sample_headwear(sampler: ParameterSampler, person: Person) -> HeadwearSpec:
    """Any kind in any colour; headscarves and sun hats mostly on feminine heads."""
    masculine = person.masculine
    weights = dict(KINDS)
    for kind in ("headscarf", "sunhat"):
        weights[kind] *= 1.9 - 1.8 * masculine
    weights["cap"] *= 0.6 + 0.8 * masculine
    kind = sampler.choice("kind", weights, shows=_SHOWS)
    own = sampler.within(kind, KINDS)
    fabric = own.choice("fabric", _among(FABRICS, FABRIC_WEIGHTS[kind]))
    pattern = own.choice("pattern", _among(PATTERNS, PATTERN_WEIGHTS.get(kind, PATTERNS)))
    colour, accent = sample_fabric_colour(own), sample_fabric_colour(own, "accent_")
    if fabric == "straw":
        colour = _mixed(colour, (0.55, 0.40, 0.20), 0.8)
    drawn = {name: own.number(name, *RANGES[kind][name]) for name in DRAWN}
    gap, seed = own.number("gap_mm", 3.4, 4.6), own.seed()
    return HeadwearSpec(kind, fabric, pattern, colour, accent, gap_mm=gap, seed=seed, **drawn)  # type: ignore[arg-type]


DRAWN = ("scale_mm", "forehead", "tilt_deg", "height_mm", "brim_mm", "droop", "looseness", "thickness_mm")
_SHOWS = dict.fromkeys((*DRAWN, "gap_mm", "fabric", "pattern", "dye", "accent_dye"), tuple(KINDS)[1:])
"""Question -> kinds that it shows with."""


def _among(names: object, weights: dict[str, float]) -> dict[str, float]:
    """Weights for all the names, 0 where none is given, so that an override may still choose them."""
    return {name: weights.get(name, 0.0) for name in names}  # type: ignore[attr-defined]


def _mixed(a: Colour, b: Colour, share: float) -> Colour:
    red, green, blue = (round(x * (1 - share) + y * share, 6) for x, y in zip(a, b, strict=True))
    return red, green, blue
