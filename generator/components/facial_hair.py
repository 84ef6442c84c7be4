"""Brows, lashes and beard."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capture import InputError
from generator.components import draw
from generator.components.hair import BLACK, HairColour

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
    """

    colour: HairColour = BLACK
    strands: int = 420
    length_mm: float = 8.0
    thickness: float = 0.5
    seed: int = 0


@dataclass(frozen=True)
class LashSpec:
    """Attributes:
    strands: per upper lid; the lower has half of it.
    length_mm: of the longest.
    seed: of the strands.
    """

    strands: int = 130
    length_mm: float = 8.0
    seed: int = 0


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


def sample_brows(rng: np.random.Generator, colour: HairColour) -> BrowSpec:
    """Brows a little darker than the hair."""
    thickness = draw.uniform(rng, 0.1, 1.0)
    darker = HairColour(round(min(0.25 + 0.8 * colour.melanin, 1.0), draw.DIGITS), colour.redness, 0.6 * colour.grey)
    length = draw.uniform(rng, 6.5, 9.5)
    return BrowSpec(darker, int(330 + 330 * thickness), length, thickness, draw.integer(rng))


def sample_lashes(rng: np.random.Generator) -> LashSpec:
    """Lashes."""
    return LashSpec(int(draw.uniform(rng, 90, 170)), draw.uniform(rng, 5.5, 9.0), draw.integer(rng))


def sample_beard(
    rng: np.random.Generator, colour: HairColour, masculine: float, family: str | None = None
) -> BeardSpec:
    """A family by weight, or the given one; faces less than half `masculine` (0 to 1) have none of their own."""
    drawn = draw.pick(rng, BEARDS)
    unit = [draw.uniform(rng, 0, 1) for _ in range(4)]
    seed = draw.integer(rng)
    if family is None:
        family = drawn if masculine >= 0.5 else "none"
    size = {"none": (0, 0.0, 0.0, 0.06), "stubble": (14000, 0.8, 2.2, 0.07), "moustache": (2600, 8.0, 14.0, 0.09),
            "goatee": (5000, 8.0, 25.0, 0.09), "short": (15000, 6.0, 14.0, 0.09),
            "full": (15000, 20.0, 60.0, 0.10)}.get(family, (0, 0.0, 0.0, 0.06))  # fmt: skip
    length = round(size[1] + (size[2] - size[1]) * unit[0], draw.DIGITS)
    curl = round((0.3 + 1.2 * unit[1]) if length > 5 else 0.0, draw.DIGITS)
    return BeardSpec(family, colour, size[0], length, size[3], curl, round(0.1 + 0.5 * unit[2], draw.DIGITS), seed)
