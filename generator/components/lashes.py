"""Lashes."""

from __future__ import annotations

from dataclasses import dataclass

from assets.parameter_sampler import ParameterSampler
from generator.components.limits import SEED, check_limits
from generator.components.person import Person


@dataclass(frozen=True)
class LashSpec:
    """Attributes:
    strands: per upper lid; the lower has half of it.
    length_mm: of the longest.
    curl: 0 straight to 1 bent up strongly.
    seed: of the strands.
    asset: id of a library asset instead of strands, or "".
    """

    strands: int = 130
    length_mm: float = 8.0
    curl: float = 0.5
    seed: int = 0
    asset: str = ""

    def __post_init__(self) -> None:
        check_limits("lashes", self, {"strands": (0, 5000), "length_mm": (0.5, 30), "curl": (0, 1), "seed": SEED})


def sample_lashes(sampler: ParameterSampler, person: Person) -> LashSpec:
    """Lashes, the same for everyone."""
    return LashSpec(
        round(sampler.number("strands", 80, 160)),
        sampler.number("length_mm", 5.5, 9.5),
        sampler.number("curl", 0.2, 1.0),
        sampler.seed(),
    )
