"""What the sampled identity says about a person, as far as the head model tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """Attributes:
    masculine: 0 to 1.
    age: years.
    """

    masculine: float = 0.5
    age: float = 35.0

    @classmethod
    def of(cls, traits: Mapping[str, float]) -> Person:
        """From the traits of a head model; what it does not tell is taken as average."""
        return cls(traits.get("masculine", cls.masculine), traits.get("age", cls.age))
