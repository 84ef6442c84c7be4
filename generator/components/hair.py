"""Hair of the scalp: families and their parameters."""

from __future__ import annotations

from dataclasses import dataclass

from assets.draw import DIGITS, Draw
from capture import InputError
from generator.components.person import Person

FAMILIES: dict[str, float] = {
    "none": 0.10, "buzz": 0.13, "short": 0.30, "curly": 0.12, "bob": 0.13, "long": 0.22,
}  # fmt: skip


@dataclass(frozen=True)
class HairColour:
    """Pigments of the Principled Hair BSDF.

    Attributes:
        melanin: amount, 0 white to 1 black.
        redness: share of pheomelanin.
        grey: share of strands without pigment.
    """

    melanin: float = 0.7
    redness: float = 0.3
    grey: float = 0.0


BLACK = HairColour(0.95, 0.2, 0.0)


@dataclass(frozen=True)
class HairSpec:
    """Attributes:
    family: a key of `FAMILIES`.
    colour: pigments, shared with brows and beard by default.
    strands: how many.
    length_mm: of the longest strands.
    radius_mm: of a rendered strand at its root; thicker than real hair, as one stands for many.
    volume_mm: how far hair stands off the scalp.
    curl_mm, curl_turns: radius and number of the coils per 100 mm.
    clump: 0 loose to 1 in locks.
    frizz: 0 tidy to 1 wild.
    parting: where the hair parts, -1 the subject's right to 1 the left, 0 the middle.
    hairline_mm: the hairline's shift up (bald-wards) on the forehead.
    seed: of the strands.
    asset: id of a library asset that is worn instead, or "".
    """

    family: str = "short"
    colour: HairColour = BLACK
    strands: int = 14000
    length_mm: float = 50.0
    radius_mm: float = 0.12
    volume_mm: float = 8.0
    curl_mm: float = 0.5
    curl_turns: float = 2.0
    clump: float = 0.4
    frizz: float = 0.2
    parting: float = 0.3
    hairline_mm: float = 0.0
    seed: int = 0
    asset: str = ""

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise InputError(f"hair family {self.family!r}: use one of {', '.join(FAMILIES)}")


def sample_hair_colour(draw: Draw, melanin: float) -> HairColour:
    """Blond and red hair on fair skin mostly, grey on every; `melanin` is the skin's."""
    fair = draw.flag("fair", max(1 - 1.5 * melanin, 0.03))
    pigment = draw.number("melanin", 0.12, 0.9) if fair else draw.number("melanin", 0.6, 1.0)
    redness = draw.number("redness", 0.0, 1.0 if fair else 0.3, power=2)
    greying, grey = draw.flag("greying", 0.18), draw.number("grey", 0.2, 1.0)
    return HairColour(pigment, redness, grey if greying else 0.0)


def sample_hair(draw: Draw, colour: HairColour, person: Person) -> HairSpec:
    """A family by weight, with its parameters."""
    family = draw.choice("family", FAMILIES)
    own = draw.within(family, FAMILIES)
    drawn = {name: own.number(name, *RANGES[family].get(name, (0.0, 0.0))) for name in DRAWN}
    strands = round(own.number("strands", STRANDS[family], STRANDS[family]))
    parting = round(0.8 * drawn.pop("parting"), DIGITS)
    return HairSpec(family, colour, strands, parting=parting, seed=draw.seed(), **drawn)  # type: ignore[arg-type]


DRAWN = ("length_mm", "radius_mm", "volume_mm", "curl_mm", "curl_turns", "clump", "frizz", "parting",
         "hairline_mm")  # fmt: skip
_ALL = {"parting": (-1.0, 1.0), "hairline_mm": (-3.0, 8.0), "curl_turns": (2.0, 2.0)}
RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "none": _ALL,
    "buzz": _ALL | {"length_mm": (3, 9), "radius_mm": (0.09, 0.09), "volume_mm": (1.5, 1.5),
                    "frizz": (0.2, 0.6)},
    "short": _ALL | {"length_mm": (25, 75), "radius_mm": (0.11, 0.11), "volume_mm": (4, 16),
                     "curl_mm": (0.0, 2.5), "curl_turns": (1.5, 4), "clump": (0.2, 0.7), "frizz": (0.1, 0.5)},
    "curly": _ALL | {"length_mm": (40, 110), "radius_mm": (0.14, 0.14),
                     "volume_mm": (20, 60), "curl_mm": (2.0, 4.5), "curl_turns": (7, 14), "clump": (0.3, 0.8),
                     "frizz": (0.3, 0.8)},
    "bob": _ALL | {"length_mm": (190, 270), "radius_mm": (0.12, 0.12), "volume_mm": (8, 20),
                   "curl_mm": (0.5, 4.0), "curl_turns": (0.8, 2.5), "clump": (0.3, 0.8), "frizz": (0.05, 0.3)},
    "long": _ALL | {"length_mm": (320, 480), "radius_mm": (0.12, 0.12),
                    "volume_mm": (7, 18), "curl_mm": (0.5, 6.0), "curl_turns": (0.6, 2.2), "clump": (0.3, 0.8),
                    "frizz": (0.05, 0.3)},
}  # fmt: skip
"""What each family draws evenly from; what it doesn't name is 0."""
STRANDS = {"none": 0, "buzz": 26000, "short": 20000, "curly": 12000, "bob": 20000, "long": 20000}
