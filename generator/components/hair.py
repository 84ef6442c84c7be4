"""Hair of the scalp: families and their parameters."""

from __future__ import annotations

from dataclasses import dataclass

from assets.parameter_sampler import DIGITS, ParameterSampler
from capture import InputError
from generator.components.hair_colour import BLACK, DYES, HairColour
from generator.components.limits import SEED, check_limits
from generator.components.person import Person

FAMILIES: dict[str, tuple[float, float]] = {
    "none": (0.05, 0.01), "balding": (0.08, 0.004), "buzz": (0.16, 0.03), "crop": (0.17, 0.05),
    "side_part": (0.13, 0.04), "slicked": (0.09, 0.03), "curly": (0.09, 0.10), "afro": (0.05, 0.05),
    "bob": (0.02, 0.13), "long_straight": (0.03, 0.13), "long_wavy": (0.03, 0.14), "fringe": (0.03, 0.10),
    "ponytail": (0.02, 0.09), "bun": (0.02, 0.07), "braids": (0.015, 0.06),
}  # fmt: skip
"""Frequency on masculine and on feminine faces; between them in proportion. Every family occurs on everyone."""


@dataclass(frozen=True)
class HairSpec:
    """Attributes:
    family: a key of `FAMILIES`.
    colour: pigments, shared with brows and beard by default.
    strands: number that is grown; where Blender has hair nodes, it makes more of each.
    length_mm: of the longest strands, measured along their curls.
    radius_mm: of a strand at its root; thicker than real hair, as one stands for many.
    volume_mm: depth of the hair: how far the outermost strands lie off the scalp.
    curl_mm, curl_turns: radius, and number per 100 mm, of the coils.
    clump: 0 loose to 1 in locks.
    frizz: 0 tidy to 1 wild.
    layered: 0 cut to one length to 1 in steps.
    parting: place, -1 the subject's right to 1 the left, 0 the middle.
    hairline_mm: the hairline's shift up (bald-wards) on the forehead.
    recession, crown: 0 to 1, how far temples and crown have gone bald.
    tie: height at which hair is gathered, 0 the nape to 1 the crown.
    plaits: number of braids.
    seed: of the strands.
    asset: id of a library asset that is worn instead, or "".
    """

    family: str = "crop"
    colour: HairColour = BLACK
    strands: int = 12000
    length_mm: float = 50.0
    radius_mm: float = 0.1
    volume_mm: float = 8.0
    curl_mm: float = 0.5
    curl_turns: float = 2.0
    clump: float = 0.5
    frizz: float = 0.2
    layered: float = 0.3
    parting: float = 0.3
    hairline_mm: float = 0.0
    recession: float = 0.0
    crown: float = 0.0
    tie: float = 0.5
    plaits: int = 2
    seed: int = 0
    asset: str = ""

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise InputError(f"hair family {self.family!r}: use one of {', '.join(FAMILIES)}")
        check_limits("hair", self, LIMITS)


LIMITS: dict[str, tuple[float, float]] = {
    "strands": (0, 200_000), "length_mm": (0, 900), "radius_mm": (0.01, 0.5), "volume_mm": (0, 150),
    "curl_mm": (0, 15), "curl_turns": (0, 60), "clump": (0, 1), "frizz": (0, 1), "layered": (0, 1),
    "parting": (-1, 1), "hairline_mm": (-6, 25), "recession": (0, 1), "crown": (0, 1), "tie": (0, 1),
    "plaits": (1, 2), "seed": SEED,
}  # fmt: skip
"""Limits of a record's numbers."""


def sample_hair_colour(sampler: ParameterSampler, person: Person) -> HairColour:
    """Blond and red hair on fair skin mostly; grey with age on every; some dyed.

    Grey begins between 30 and 50 for most; at 45 to 65 years three in four have some, 27 % of the hair on average
    (Panhard, Lozano, Loussouarn 2012, "Greying of the human hair: a worldwide survey").
    """
    melanin, age = person.melanin, person.age
    fair = sampler.flag("fair", max(1 - 1.5 * melanin, 0.03))
    pigment = sampler.number("melanin", 0.12, 0.9) if fair else sampler.number("melanin", 0.6, 1.0)
    redness = sampler.number("redness", 0.0, 1.0 if fair else 0.3, power=2)
    greying = sampler.flag("greying", min(max((age - 25) / 40, 0.03), 0.9), yes_for=("grey",))
    most = min(max((age - 20) / 45, 0.15), 1.0)
    grey = sampler.number("grey", 0.4 * most**2, most, power=1.5)
    dyeing = sampler.flag("dyeing", 0.06, yes_for=("dyed", "tint"))
    dyed = sampler.number("dyed", 0.6, 1.0)
    tint = DYES[min(int(sampler.number("tint", 0, len(DYES))), len(DYES) - 1)]
    return HairColour(pigment, redness, grey if greying else 0.0, *((dyed, tint) if dyeing else ()))


def family_weights(person: Person) -> dict[str, float]:
    """Frequency of each family on a person; balding grows with the years."""
    masculine, years = person.masculine, min(max((person.age - 20) / 40, 0.05), 1.5)
    weights = {name: masculine * his + (1 - masculine) * hers for name, (his, hers) in FAMILIES.items()}
    ageing = {
        "balding": 3.0 * years,
        "none": 0.6 + 0.8 * years,
        "braids": 1.2 - 0.5 * years,
        "ponytail": 1.2 - 0.4 * years,
    }
    return {name: weight * ageing.get(name, 1.0) for name, weight in weights.items()}


def sample_hair(sampler: ParameterSampler, person: Person, colour_sampler: ParameterSampler) -> HairSpec:
    """A family by weight, with its parameters; the colour from a stream of its own, `hair_colour`."""
    colour = sample_hair_colour(colour_sampler, person)
    family = sampler.choice("family", family_weights(person), shows=_SHOWS)
    own, ranges = sampler.within(family, FAMILIES), _RANGES | RANGES[family]
    drawn = {name: own.number(name, *ranges[name]) for name in _RANGES}
    strands, plaits = round(drawn.pop("strands")), round(drawn.pop("plaits"))
    ageing = min(max((person.age - 25) / 50, 0.0), 1.0) * (0.2 + 0.8 * person.masculine)
    if family != "balding":  # temples recede a little with the years
        drawn["recession"] = round(min(drawn["recession"] * (0.3 + 0.7 * ageing), 1.0), DIGITS)
    return HairSpec(family, colour, strands, plaits=plaits, seed=sampler.seed(), **drawn)  # type: ignore[arg-type]


Range = tuple[float, float]
_RANGES: dict[str, Range] = {
    "strands": (0, 0), "length_mm": (0, 0), "radius_mm": (0.1, 0.1), "volume_mm": (0, 0), "curl_mm": (0, 0),
    "curl_turns": (2, 2), "clump": (0.4, 0.8), "frizz": (0.05, 0.4), "layered": (0, 0), "parting": (-0.8, 0.8),
    "hairline_mm": (-3, 6), "recession": (0, 0.45), "crown": (0, 0), "tie": (0, 1), "plaits": (0.51, 2.49),
}  # fmt: skip
"""Ranges that families draw evenly from, where they have none of their own."""
_LONG: dict[str, Range] = {
    "strands": (15000, 20000),
    "length_mm": (320, 520),
    "radius_mm": (0.085, 0.11),
    "volume_mm": (7, 18),
    "layered": (0, 0.5),
    "recession": (0, 0.2),
}
_TIED: dict[str, Range] = _LONG | {
    "volume_mm": (2.5, 8),
    "curl_mm": (0.2, 2),
    "curl_turns": (1, 2.5),
    "strands": (14000, 18000),
}
RANGES: dict[str, dict[str, Range]] = {
    "none": {},
    "balding": {"strands": (9000, 13000), "length_mm": (6, 40), "radius_mm": (0.08, 0.1), "volume_mm": (2, 6),
                "curl_mm": (0, 2), "clump": (0.2, 0.6), "hairline_mm": (0, 8), "recession": (0.35, 1.0),
                "crown": (0.25, 1.0), "layered": (0, 0.5)},
    "buzz": {"strands": (24000, 30000), "length_mm": (2, 9), "radius_mm": (0.07, 0.08), "volume_mm": (1.5, 1.5),
             "frizz": (0.2, 0.6), "clump": (0, 0.1)},
    "crop": {"strands": (14000, 19000), "length_mm": (18, 75), "volume_mm": (5, 16), "curl_mm": (0, 2.5),
             "curl_turns": (1.5, 4), "frizz": (0.1, 0.5), "layered": (0.2, 0.8)},
    "side_part": {"strands": (15000, 19000), "length_mm": (45, 95), "volume_mm": (4, 11), "curl_mm": (0, 2),
                  "curl_turns": (1, 3), "layered": (0.1, 0.6)},
    "slicked": {"strands": (15000, 19000), "length_mm": (70, 150), "volume_mm": (3, 13), "curl_mm": (0, 1.5),
                "curl_turns": (1, 2.5), "frizz": (0.02, 0.2), "clump": (0.5, 0.95), "layered": (0, 0.4)},
    "curly": {"strands": (7000, 9500), "length_mm": (70, 320), "radius_mm": (0.1, 0.13), "volume_mm": (10, 32),
              "curl_mm": (3.5, 6), "curl_turns": (3.5, 8), "clump": (0.75, 1.0), "frizz": (0.1, 0.5),
              "layered": (0.2, 0.7)},
    "afro": {"strands": (9000, 12000), "length_mm": (40, 230), "radius_mm": (0.1, 0.13), "curl_mm": (1.2, 2.6),
             "curl_turns": (14, 24), "clump": (0.2, 0.7), "frizz": (0.4, 0.9), "layered": (0, 0.3)},
    "bob": _LONG | {"length_mm": (190, 290), "volume_mm": (8, 20), "curl_mm": (0.3, 3.5), "curl_turns": (0.8, 2.5),
                    "layered": (0, 0.3)},
    "long_straight": _LONG | {"curl_mm": (0, 1), "curl_turns": (0.5, 1.5)},
    "long_wavy": _LONG | {"curl_mm": (3, 9), "curl_turns": (1, 2.6), "volume_mm": (9, 22)},
    "fringe": _LONG | {"length_mm": (200, 480), "curl_mm": (0.2, 3), "curl_turns": (0.6, 2), "parting": (-0.3, 0.3)},
    "ponytail": _TIED | {"length_mm": (260, 520), "tie": (0.15, 1)},
    "bun": _TIED | {"length_mm": (300, 450), "tie": (0.1, 1)},
    "braids": _TIED | {"length_mm": (350, 560), "tie": (0, 0.5), "parting": (-0.25, 0.25)},
}  # fmt: skip
_TIED_FAMILIES = ("ponytail", "bun", "braids")
_SHOWS: dict[str, tuple[str, ...]] = {name: tuple(FAMILIES)[1:] for name in _RANGES} | {
    "tie": _TIED_FAMILIES,
    "plaits": ("braids",),
}
"""Parameter -> families that it shows with."""
