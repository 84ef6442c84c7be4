"""The person that a head is of, as far as it is sampled: components suit what was drawn before them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from generator.components.hair_colour import BLACK, HairColour


@dataclass(frozen=True)
class Person:
    """Attributes:
    masculine: 0 to 1, by the head model.
    age: years, by the head model.
    melanin: of the skin, 0 the fairest to 1 the darkest.
    hair_colour: pigments of the scalp's hair.
    """

    masculine: float = 0.5
    age: float = 35.0
    melanin: float = 0.3
    hair_colour: HairColour = BLACK

    @classmethod
    def of(cls, traits: Mapping[str, float]) -> Person:
        """From the traits of a head model; what it does not tell is taken as average."""
        return cls(traits.get("masculine", cls.masculine), traits.get("age", cls.age))
