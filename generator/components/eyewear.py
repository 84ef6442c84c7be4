"""Eyewear: spectacles."""

from __future__ import annotations

from dataclasses import dataclass

from assets.draw import Draw
from capture import InputError

KINDS: dict[str, float] = {"none": 1.0}


@dataclass(frozen=True)
class EyewearSpec:
    """Attributes:
    kind: a key of `KINDS`.
    """

    kind: str = "none"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"eyewear {self.kind!r}: use one of {', '.join(KINDS)}")


def sample_eyewear(draw: Draw) -> EyewearSpec:
    """Any kind."""
    return EyewearSpec(draw.choice("kind", KINDS))
