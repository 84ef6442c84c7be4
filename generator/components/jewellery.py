"""Jewellery: earrings."""

from __future__ import annotations

from dataclasses import dataclass

from assets.parameter_sampler import ParameterSampler
from capture import InputError
from generator.components.limits import check_colours, check_limits
from generator.components.person import Person

KINDS: dict[str, float] = {"none": 0.72, "stud": 0.12, "hoop": 0.09, "drop": 0.07}
METALS: dict[str, tuple[float, float, float]] = {
    "gold": (0.83, 0.60, 0.24),
    "silver": (0.86, 0.86, 0.87),
    "rose": (0.80, 0.50, 0.38),
    "black": (0.04, 0.04, 0.045),
}


@dataclass(frozen=True)
class JewellerySpec:
    """Attributes:
    kind: a key of `KINDS`.
    metal: a key of `METALS`.
    gem: linear RGB of stones and beads.
    size_mm: diameter of studs and hoops, width of a drop's bead.
    wire_mm: thickness of the metal.
    length_mm: of a drop.
    turn_deg: of hoops about the vertical, beside what the neck leaves room for.
    sides: "both", "left" or "right".
    """

    kind: str = "none"
    metal: str = "gold"
    gem: tuple[float, float, float] = (0.8, 0.8, 0.8)
    size_mm: float = 6.0
    wire_mm: float = 1.2
    length_mm: float = 20.0
    turn_deg: float = 0.0
    sides: str = "both"

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.metal not in METALS or self.sides not in SIDES:
            raise InputError(
                f"jewellery {self.kind!r} {self.metal!r} {self.sides!r}: use one of {', '.join(KINDS)} of "
                f"{', '.join(METALS)} on {', '.join(SIDES)}"
            )
        check_colours("jewellery", self, "gem")
        check_limits(
            "jewellery",
            self,
            {"size_mm": (0.5, 90), "wire_mm": (0.2, 6), "length_mm": (2, 120), "turn_deg": (-180, 180)},
        )


SIDES: dict[str, float] = {"both": 0.88, "left": 0.06, "right": 0.06}
SIZES = {"none": (6.0, 6.0), "stud": (3.5, 8.0), "hoop": (12.0, 44.0), "drop": (5.0, 11.0)}


def sample_jewellery(sampler: ParameterSampler, person: Person) -> JewellerySpec:
    """Earrings on half of the feminine heads and on some of the masculine."""
    masculine = person.masculine
    worn = 1.9 - 1.65 * masculine
    weights = {name: weight * (1.0 if name == "none" else worn) for name, weight in KINDS.items()}
    kind = sampler.choice("kind", weights, shows=_SHOWS)
    own = sampler.within(kind, KINDS)
    metal = own.choice("metal", {"gold": 0.4, "silver": 0.4, "rose": 0.1, "black": 0.1})
    white = own.flag("pale", 0.55, no_for=("hue", "value"))
    hue, value = own.number("hue", 0, 1), own.number("value", 0.15, 0.9)
    red, green, blue = (round(value * min(max(abs((6 * hue + s) % 6 - 3) - 1, 0.05), 1), 6) for s in (0, 4, 2))
    gem = (0.85, 0.85, 0.83) if white else (red, green, blue)
    size, wire = own.number("size_mm", *SIZES[kind]), own.number("wire_mm", 0.9, 2.2)
    length, turn = own.number("length_mm", 12, 42), own.number("turn_deg", -20, 20)
    return JewellerySpec(kind, metal, gem, size, wire, length, turn, own.choice("sides", SIDES))


_SHOWS = dict.fromkeys(("metal", "pale", "hue", "value", "size_mm", "wire_mm", "turn_deg", "sides"), tuple(KINDS)[1:])
_SHOWS |= {"length_mm": ("drop",)}
"""Question -> kinds that it shows with."""
