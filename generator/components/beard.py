"""Beards and moustaches."""

from __future__ import annotations

from dataclasses import dataclass, replace

from assets.parameter_sampler import DIGITS, ParameterSampler
from capture import InputError
from generator.components.hair_colour import BLACK, HairColour
from generator.components.limits import SEED, check_limits
from generator.components.person import Person

FAMILIES: dict[str, float] = {
    "none": 0.22,
    "stubble": 0.27,
    "moustache": 0.07,
    "goatee": 0.08,
    "short": 0.15,
    "full": 0.18,
    "chops": 0.03,
}
MOUSTACHES: dict[str, float] = {"natural": 0.5, "pencil": 0.1, "handlebar": 0.2, "horseshoe": 0.2}


@dataclass(frozen=True)
class BeardSpec:
    """Attributes:
    family: a key of `FAMILIES`.
    moustache: a key of `MOUSTACHES`, its shape where the family has one.
    colour: pigments.
    strands: number that is grown.
    length_mm: of the longest.
    radius_mm: of a rendered strand.
    curl_mm: radius of the coils.
    clump: 0 loose to 1 in locks.
    frizz: 0 tidy to 1 wild.
    line_mm: the cheek line's shift up.
    seed: of the strands.
    """

    family: str = "none"
    moustache: str = "natural"
    colour: HairColour = BLACK
    strands: int = 0
    length_mm: float = 0.0
    radius_mm: float = 0.08
    curl_mm: float = 0.0
    clump: float = 0.2
    frizz: float = 0.3
    line_mm: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise InputError(f"beard family {self.family!r}: use one of {', '.join(FAMILIES)}")
        if self.moustache not in MOUSTACHES:
            raise InputError(f"moustache {self.moustache!r}: use one of {', '.join(MOUSTACHES)}")
        check_limits("beard", self, {"strands": (0, 200_000), "length_mm": (0, 200), "radius_mm": (0.01, 0.5),
                                     "curl_mm": (0, 10), "clump": (0, 1), "frizz": (0, 1), "line_mm": (-30, 30),
                                     "seed": SEED})  # fmt: skip


def sample_beard(sampler: ParameterSampler, person: Person) -> BeardSpec:
    """A family by weight; feminine faces have one only where a single name is asked for."""
    colour, forced = person.hair_colour, sampler.fixed("family")
    family = sampler.choice("family", FAMILIES, shows=_SHOWS)
    if person.masculine < 0.5 and not forced:
        family = "none"
    own, ranges = sampler.within(family, FAMILIES), _RANGES | RANGES[family]
    drawn = {name: own.number(name, *ranges[name]) for name in _RANGES}
    moustache = own.choice("moustache", MOUSTACHES)
    strands, redder = round(drawn.pop("strands")), round(min(colour.redness + drawn.pop("redder"), 1.0), DIGITS)
    colour = replace(colour, redness=redder, dyed=0.0)
    return BeardSpec(family, moustache, colour, strands, seed=sampler.seed(), **drawn)


Range = tuple[float, float]
_RANGES: dict[str, Range] = {
    "strands": (0, 0),
    "length_mm": (0, 0),
    "radius_mm": (0.06, 0.08),
    "curl_mm": (0, 0),
    "clump": (0.2, 0.6),
    "frizz": (0.15, 0.6),
    "line_mm": (-6, 5),
    "redder": (0, 0.15),
}
"""Ranges that families draw evenly from, where they have none of their own; `redder` than the hair beards are."""
RANGES: dict[str, dict[str, Range]] = {
    "none": {},
    "stubble": {"strands": (7000, 15000), "length_mm": (0.5, 4.5), "radius_mm": (0.045, 0.065)},
    "moustache": {"strands": (2000, 3000), "length_mm": (7, 16)},
    "goatee": {"strands": (4000, 6000), "length_mm": (6, 30), "curl_mm": (0.3, 1.2)},
    "short": {"strands": (11000, 15000), "length_mm": (4, 14), "curl_mm": (0.2, 0.8)},
    "full": {"strands": (12000, 15000), "length_mm": (18, 60), "curl_mm": (0.4, 1.8)},
    "chops": {"strands": (7000, 9000), "length_mm": (6, 22), "curl_mm": (0.3, 1.0)},
}
_SHOWS = dict.fromkeys((*_RANGES, "moustache"), tuple(FAMILIES)[1:])
"""Parameter -> families that it shows with."""
