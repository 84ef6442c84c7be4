"""Skin: tone, regional colour, texture, age, make-up."""

from __future__ import annotations

from dataclasses import dataclass

from assets.parameter_sampler import DIGITS, ParameterSampler
from capture import InputError
from generator.components.limits import SEED, check_limits
from generator.components.person import Person

RGB = tuple[float, float, float]

# Linear RGB that lipsticks and shadows are mixed from.
LIPSTICKS: dict[str, RGB] = {
    "rose": (0.42, 0.10, 0.12),
    "red": (0.38, 0.012, 0.02),
    "plum": (0.13, 0.012, 0.035),
    "nude": (0.40, 0.20, 0.15),
    "coral": (0.55, 0.12, 0.08),
}
SHADOWS: dict[str, RGB] = {
    "brown": (0.12, 0.06, 0.04),
    "grey": (0.05, 0.05, 0.06),
    "gold": (0.40, 0.25, 0.10),
    "violet": (0.14, 0.06, 0.18),
    "blue": (0.05, 0.10, 0.22),
}


@dataclass(frozen=True)
class MakeUp:
    """Paint on the skin; amounts from 0, none, to 1.

    Attributes:
        lipstick: amount; lip_colour: a key of `LIPSTICKS`.
        shadow: amount on the lids; shadow_colour: a key of `SHADOWS`.
        liner: amount along the lash lines.
        blush: amount on the cheeks.
        foundation: amount by which it evens out mottling, freckles and spots.
    """

    lipstick: float = 0.0
    lip_colour: str = "rose"
    shadow: float = 0.0
    shadow_colour: str = "brown"
    liner: float = 0.0
    blush: float = 0.0
    foundation: float = 0.0

    def __post_init__(self) -> None:
        for what, name, known in (
            ("lip colour", self.lip_colour, LIPSTICKS),
            ("eye shadow", self.shadow_colour, SHADOWS),
        ):
            if name not in known:
                raise InputError(f"{what} {name!r}: use one of {', '.join(known)}")
        amounts = ("lipstick", "shadow", "liner", "blush", "foundation")
        check_limits("make-up", self, dict.fromkeys(amounts, (0, 1)))


@dataclass(frozen=True)
class SkinSpec:
    """Parameters of the skin shader; without unit, 0 to 1 unless said otherwise.

    Attributes:
        melanin: 0 the fairest, 1 the darkest tone.
        haemoglobin: redness of the whole skin.
        flush: extra redness of cheeks, nose, ears.
        lips: difference of the lips from the skin around.
        circles: darkness under the eyes.
        mottling: contrast of the uneven colour at 1 to 20 mm.
        freckles: their density.
        moles: their density; 1 is some thirty on the head.
        blemishes: density of red spots.
        age_spots: density of brown ones.
        pores: depth of pores and fine relief, 1 is 0.1 mm.
        wrinkles: depth of lines on forehead, around eyes and mouth, 1 is 0.5 mm.
        roughness: of the surface; 0.3 is oily, 0.6 dry.
        oil: smoothness of forehead, nose and chin.
        shadow: shade of beard stubble under the skin of the jaw.
        makeup: paint.
        seed: of the pattern.
        texture: id of a library asset instead of procedural colour, or "".
    """

    melanin: float = 0.3
    haemoglobin: float = 0.5
    flush: float = 0.5
    lips: float = 0.6
    circles: float = 0.5
    mottling: float = 0.5
    freckles: float = 0.2
    moles: float = 0.3
    blemishes: float = 0.2
    age_spots: float = 0.0
    pores: float = 0.6
    wrinkles: float = 0.1
    roughness: float = 0.45
    oil: float = 0.5
    shadow: float = 0.0
    makeup: MakeUp = MakeUp()
    seed: int = 0
    texture: str = ""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, float) and not 0 <= value <= 1:
                raise InputError(f"skin {name} {value}: use 0 to 1")
        check_limits("skin", self, {"seed": SEED})


def sample_skin(sampler: ParameterSampler, person: Person) -> SkinSpec:
    """All tones equally often; lines and spots come with the years; shaved faces may show the shadow of their beard."""
    melanin = sampler.number("melanin", 0.0, 1.0)
    old = min(max((person.age - 25) / 50, 0.0), 1.0)
    masculine = person.masculine >= 0.5
    numbers = {
        "haemoglobin": sampler.number("haemoglobin", 0.3, 0.8),
        "flush": sampler.number("flush", 0.2, 0.9),
        "lips": sampler.number("lips", 0.4, 0.9),
        "circles": sampler.number("circles", 0.1, 0.6 + 0.4 * old),
        "mottling": sampler.number("mottling", 0.45, 0.8 + 0.2 * old),
        "freckles": round(sampler.number("freckles", 0.0, 1.0, power=2) * (1 - melanin) ** 0.5, DIGITS),
        "moles": sampler.number("moles", 0.0, 1.0, power=2),
        "blemishes": sampler.number("blemishes", 0.0, 1.0 - 0.7 * old, power=2),
        "age_spots": sampler.number("age_spots", 0.0, old * (1 - 0.5 * melanin), power=1.5),
        "pores": sampler.number("pores", 0.4, 1.0),
        "wrinkles": sampler.number("wrinkles", 0.1 + 0.5 * old, 0.2 + 0.8 * old),
        "roughness": sampler.number("roughness", 0.44, 0.6),
        "oil": sampler.number("oil", 0.0, 1.0),
        "shadow": sampler.number("shadow", 0.0, 0.5 if masculine else 0.0),
    }
    return SkinSpec(melanin, **numbers, makeup=_sample_makeup(sampler, person), seed=sampler.seed())


MAKEUP = ("lipstick", "eye_shadow", "liner", "blush", "foundation", "lip_colour", "shadow_colour")
"""Questions about the make-up of who wears some."""


def _sample_makeup(sampler: ParameterSampler, person: Person) -> MakeUp:
    """Four in ten feminine faces wear some, in any mixture; others hardly ever."""
    worn = sampler.flag("makeup", 0.4 if person.masculine < 0.5 else 0.02, yes_for=MAKEUP)
    lipstick, shadow = sampler.number("lipstick", 0.0, 1.0), sampler.number("eye_shadow", 0.0, 1.0, power=1.5)
    liner, blush = sampler.number("liner", 0.0, 1.0), sampler.number("blush", 0.0, 1.0)
    foundation = sampler.number("foundation", 0.0, 0.5)
    lips = sampler.choice("lip_colour", dict.fromkeys(LIPSTICKS, 1.0))
    lids = sampler.choice("shadow_colour", dict.fromkeys(SHADOWS, 1.0))
    if not worn:
        return MakeUp()
    return MakeUp(lipstick, lips, shadow, lids, liner, blush, foundation)
