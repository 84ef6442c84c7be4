"""Jewellery: earrings."""

from __future__ import annotations

from dataclasses import dataclass

from assets.draw import Draw
from capture import InputError

KINDS: dict[str, float] = {"none": 1.0}


@dataclass(frozen=True)
class JewellerySpec:
    """Attributes:
    kind: a key of `KINDS`.
    """

    kind: str = "none"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"jewellery {self.kind!r}: use one of {', '.join(KINDS)}")


def sample_jewellery(draw: Draw) -> JewellerySpec:
    """Any kind."""
    return JewellerySpec(draw.choice("kind", KINDS))
