"""Hair of the scalp: families and their parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capture import InputError
from generator.components import draw

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

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise InputError(f"hair family {self.family!r}: use one of {', '.join(FAMILIES)}")


def sample_hair_colour(rng: np.random.Generator, melanin: float) -> HairColour:
    """Blond and red hair on fair skin mostly, grey on every; `melanin` is the skin's."""
    dark = draw.uniform(rng, 0.6, 1.0)
    light = draw.uniform(rng, 0.12, 0.9)
    fair = draw.chance(rng, max(1 - 1.5 * melanin, 0.03))
    redness = draw.uniform(rng, 0.0, 1.0) ** 2
    redness = round(redness if fair else 0.3 * redness, draw.DIGITS)
    grey = draw.uniform(rng, 0.2, 1.0) if draw.chance(rng, 0.18) else 0.0
    return HairColour(light if fair else dark, redness, grey)


def sample_hair(rng: np.random.Generator, colour: HairColour, family: str | None = None) -> HairSpec:
    """A family by weight, or the given one, with its parameters."""
    drawn = draw.pick(rng, FAMILIES)
    family = drawn if family is None else family
    unit = [draw.uniform(rng, 0, 1) for _ in range(8)]
    seed = draw.integer(rng)

    def between(index: int, low: float, high: float) -> float:
        return round(low + (high - low) * unit[index], draw.DIGITS)

    parting = round(2 * unit[5] - 1, draw.DIGITS) * 0.8
    common = {"colour": colour, "parting": round(parting, draw.DIGITS), "seed": seed,
              "hairline_mm": between(6, -3.0, 8.0)}  # fmt: skip
    if family == "buzz":
        return HairSpec("buzz", strands=26000, length_mm=between(0, 3, 9), radius_mm=0.09, volume_mm=1.5, curl_mm=0.0,
                        clump=0.0, frizz=between(3, 0.2, 0.6), **common)  # type: ignore[arg-type]  # fmt: skip
    if family == "short":
        return HairSpec("short", strands=20000, length_mm=between(0, 25, 75), radius_mm=0.11,
                        volume_mm=between(1, 4, 16), curl_mm=between(2, 0.0, 2.5), curl_turns=between(7, 1.5, 4),
                        clump=between(3, 0.2, 0.7), frizz=between(4, 0.1, 0.5), **common)  # type: ignore[arg-type]  # fmt: skip
    if family == "curly":
        return HairSpec("curly", strands=12000, length_mm=between(0, 40, 110), radius_mm=0.14,
                        volume_mm=between(1, 20, 60), curl_mm=between(2, 2.0, 4.5), curl_turns=between(7, 7, 14),
                        clump=between(3, 0.3, 0.8), frizz=between(4, 0.3, 0.8), **common)  # type: ignore[arg-type]  # fmt: skip
    if family == "bob":
        return HairSpec("bob", strands=20000, length_mm=between(0, 190, 270), radius_mm=0.12,
                        volume_mm=between(1, 8, 20), curl_mm=between(2, 0.5, 4.0), curl_turns=between(7, 0.8, 2.5),
                        clump=between(3, 0.3, 0.8), frizz=between(4, 0.05, 0.3), **common)  # type: ignore[arg-type]  # fmt: skip
    if family == "long":
        return HairSpec("long", strands=20000, length_mm=between(0, 320, 480), radius_mm=0.12,
                        volume_mm=between(1, 7, 18), curl_mm=between(2, 0.5, 6.0), curl_turns=between(7, 0.6, 2.2),
                        clump=between(3, 0.3, 0.8), frizz=between(4, 0.05, 0.3), **common)  # type: ignore[arg-type]  # fmt: skip
    return HairSpec(family, strands=0, length_mm=0.0, **common)  # type: ignore[arg-type]
