"""Brows, lashes and beard."""

from __future__ import annotations

from dataclasses import dataclass

from assets.draw import DIGITS, Draw
from capture import InputError
from generator.components.hair import BLACK, HairColour
from generator.components.person import Person

BEARDS: dict[str, float] = {"none": 0.30, "stubble": 0.25, "moustache": 0.08, "goatee": 0.10, "short": 0.15,
                            "full": 0.12}  # fmt: skip


@dataclass(frozen=True)
class BrowSpec:
    """Attributes:
    colour: pigments.
    strands: per brow.
    length_mm: of a hair.
    thickness: 0 thin to 1 bushy.
    seed: of the strands.
    asset: id of a library asset instead of strands, or "".
    """

    colour: HairColour = BLACK
    strands: int = 420
    length_mm: float = 8.0
    thickness: float = 0.5
    seed: int = 0
    asset: str = ""


@dataclass(frozen=True)
class LashSpec:
    """Attributes:
    strands: per upper lid; the lower has half of it.
    length_mm: of the longest.
    seed: of the strands.
    asset: id of a library asset instead of strands, or "".
    """

    strands: int = 130
    length_mm: float = 8.0
    seed: int = 0
    asset: str = ""


@dataclass(frozen=True)
class BeardSpec:
    """Attributes:
    family: a key of `BEARDS`.
    colour: pigments.
    strands: how many.
    length_mm: of the longest.
    radius_mm: of a rendered strand.
    curl_mm: radius of the coils.
    clump: 0 loose to 1 in locks.
    seed: of the strands.
    """

    family: str = "none"
    colour: HairColour = BLACK
    strands: int = 0
    length_mm: float = 0.0
    radius_mm: float = 0.08
    curl_mm: float = 0.0
    clump: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        if self.family not in BEARDS:
            raise InputError(f"beard family {self.family!r}: use one of {', '.join(BEARDS)}")


def sample_brows(draw: Draw, colour: HairColour) -> BrowSpec:
    """Brows a little darker than the hair."""
    thickness = draw.number("thickness", 0.1, 1.0)
    darker = HairColour(round(min(0.25 + 0.8 * colour.melanin, 1.0), DIGITS), colour.redness, 0.6 * colour.grey)
    length = draw.number("length_mm", 6.5, 9.5)
    return BrowSpec(darker, int(330 + 330 * thickness), length, thickness, draw.seed())


def sample_lashes(draw: Draw) -> LashSpec:
    """Lashes."""
    return LashSpec(round(draw.number("strands", 90, 170)), draw.number("length_mm", 5.5, 9.0), draw.seed())


def sample_beard(draw: Draw, colour: HairColour, person: Person) -> BeardSpec:
    """A family by weight; feminine faces have none unless it is wished for."""
    family = draw.choice("family", BEARDS if person.masculine >= 0.5 else {**dict.fromkeys(BEARDS, 0.0), "none": 1.0})
    own, (count, low, high, radius) = draw.within(family, BEARDS), SIZES[family]
    strands, length = round(own.number("strands", count, count)), own.number("length_mm", low, high)
    curl = own.number("curl_mm", 0.3, 1.5) if length > 5 else own.number("curl_mm", 0.0, 0.0)
    radius = own.number("radius_mm", radius, radius)
    return BeardSpec(family, colour, strands, length, radius, curl, own.number("clump", 0.1, 0.6), draw.seed())


SIZES: dict[str, tuple[int, float, float, float]] = {
    "none": (0, 0.0, 0.0, 0.06), "stubble": (14000, 0.8, 2.2, 0.07), "moustache": (2600, 8.0, 14.0, 0.09),
    "goatee": (5000, 8.0, 25.0, 0.09), "short": (15000, 6.0, 14.0, 0.09), "full": (15000, 20.0, 60.0, 0.10),
}  # fmt: skip
"""Strands, shortest and longest length in mm, radius in mm."""
