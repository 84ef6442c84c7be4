"""Headwear: hats."""

from __future__ import annotations

from dataclasses import dataclass

from assets.draw import Draw
from capture import InputError

KINDS: dict[str, float] = {"none": 1.0}


@dataclass(frozen=True)
class HeadwearSpec:
    """Attributes:
    kind: a key of `KINDS`.
    asset: id of a library asset that is worn instead, or "".
    """

    kind: str = "none"
    asset: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"headwear {self.kind!r}: use one of {', '.join(KINDS)}")


def sample_headwear(draw: Draw) -> HeadwearSpec:
    """Any kind."""
    return HeadwearSpec(draw.choice("kind", KINDS))
