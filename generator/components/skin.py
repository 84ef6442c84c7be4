"""Skin: tone, regional colour, texture."""

from __future__ import annotations

from dataclasses import dataclass

from assets.draw import DIGITS, Draw
from generator.components.person import Person


@dataclass(frozen=True)
class SkinSpec:
    """Parameters of the skin shader; without unit, 0 to 1 unless said otherwise.

    Attributes:
        melanin: 0 the fairest, 1 the darkest tone.
        haemoglobin: redness of the whole skin.
        flush: extra redness of cheeks, nose, ears.
        lips: how far the lips differ from the skin around.
        mottling: contrast of the uneven colour at 1 to 10 mm.
        freckles: their density.
        pores: depth of pores and fine lines, 1 is 0.06 mm.
        roughness: of the surface; 0.3 is oily, 0.6 dry.
        shadow: shade of beard stubble under the skin of the jaw.
        seed: of the pattern.
        texture: id of a library asset instead of procedural colour, or "".
    """

    melanin: float = 0.3
    haemoglobin: float = 0.5
    flush: float = 0.5
    lips: float = 0.6
    mottling: float = 0.5
    freckles: float = 0.2
    pores: float = 0.6
    roughness: float = 0.45
    shadow: float = 0.0
    seed: int = 0
    texture: str = ""


def sample_skin(draw: Draw, person: Person) -> SkinSpec:
    """All tones equally often; shaved faces may show the shadow of their beard."""
    melanin = draw.number("melanin", 0.0, 1.0)
    haemoglobin = draw.number("haemoglobin", 0.3, 0.8)
    flush = draw.number("flush", 0.2, 0.9)
    lips = draw.number("lips", 0.4, 0.9)
    mottling = draw.number("mottling", 0.5, 1.0)
    freckles = round(draw.number("freckles", 0.0, 1.0, power=2) * (1 - melanin) ** 0.5, DIGITS)
    pores = draw.number("pores", 0.5, 1.0)
    roughness = draw.number("roughness", 0.44, 0.62)
    shadow = draw.number("shadow", 0.0, 0.5 if person.masculine >= 0.5 else 0.0)
    return SkinSpec(melanin, haemoglobin, flush, lips, mottling, freckles, pores, roughness, shadow, draw.seed())
