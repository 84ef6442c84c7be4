"""Brows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from assets.parameter_sampler import DIGITS, ParameterSampler
from generator.components.hair_colour import BLACK, HairColour
from generator.components.limits import SEED, check_limits
from generator.components.person import Person


@dataclass(frozen=True)
class BrowSpec:
    """Attributes:
    colour: pigments.
    strands: per brow.
    length_mm: of a hair.
    thickness: 0 thin to 1 bushy.
    unruly: 0 brushed along the arch to 1 wild.
    seed: of the strands.
    asset: id of a library asset instead of strands, or "".
    """

    colour: HairColour = BLACK
    strands: int = 420
    length_mm: float = 8.0
    thickness: float = 0.5
    unruly: float = 0.3
    seed: int = 0
    asset: str = ""

    def __post_init__(self) -> None:
        check_limits(
            "brows",
            self,
            {"strands": (0, 20_000), "length_mm": (0.5, 30), "thickness": (0, 1), "unruly": (0, 1), "seed": SEED},
        )


def sample_brows(sampler: ParameterSampler, person: Person) -> BrowSpec:
    """Brows of nearly the hair's own colour: dye leaves them mostly, grey comes later to them."""
    masculine, colour = person.masculine, person.hair_colour
    thickness = sampler.number("thickness", 0.05 + 0.2 * masculine, 0.75 + 0.25 * masculine)
    shift = sampler.number("darker", 0.0, 0.25)
    melanin = round(min(shift + (1 - 0.4 * shift) * colour.melanin, 1.0), DIGITS)
    darker = replace(colour, melanin=melanin, grey=0.5 * colour.grey, dyed=0.0)
    length, unruly = sampler.number("length_mm", 5.5, 9.5), sampler.number("unruly", 0.05, 0.35 + 0.4 * masculine)
    return BrowSpec(darker, round(260 + 300 * thickness), length, thickness, unruly, sampler.seed())
