"""Eyes: the colours of the iris and the white."""

from __future__ import annotations

from dataclasses import dataclass

from assets.parameter_sampler import ParameterSampler
from capture import InputError
from generator.components.limits import SEED, check_limits
from generator.components.person import Person

# Iris colours, linear RGB: (outer, inner).
IRISES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "brown": ((0.055, 0.022, 0.010), (0.13, 0.055, 0.020)),
    "dark": ((0.022, 0.010, 0.006), (0.045, 0.020, 0.010)),
    "hazel": ((0.075, 0.060, 0.022), (0.20, 0.10, 0.030)),
    "green": ((0.070, 0.110, 0.060), (0.18, 0.16, 0.060)),
    "blue": ((0.080, 0.150, 0.260), (0.24, 0.32, 0.40)),
    "grey": ((0.120, 0.150, 0.180), (0.26, 0.29, 0.30)),
}


@dataclass(frozen=True)
class EyeSpec:
    """Attributes:
    iris: a key of `IRISES`.
    pupil_mm: radius of the pupil.
    iris_mm: radius of the iris.
    redness: of the white, 0 to 1.
    seed: of the pattern.
    texture: id of a library asset instead of the iris, or "".
    """

    iris: str = "brown"
    pupil_mm: float = 1.8
    iris_mm: float = 5.9
    redness: float = 0.3
    seed: int = 0
    texture: str = ""

    def __post_init__(self) -> None:
        if self.iris not in IRISES:
            raise InputError(f"iris {self.iris!r}: use one of {', '.join(IRISES)}")
        check_limits(
            "eyes", self, {"iris_mm": (4, 8), "pupil_mm": (0.5, self.iris_mm), "redness": (0, 1), "seed": SEED}
        )


def sample_eyes(sampler: ParameterSampler, person: Person) -> EyeSpec:
    """Darker skin has darker eyes more often."""
    melanin = person.melanin
    light = max(1 - 1.6 * melanin, 0.02)
    weights = {
        "brown": 1.0,
        "dark": 0.4 + 1.5 * melanin,
        "hazel": light,
        "green": 0.5 * light,
        "blue": 1.3 * light,
        "grey": 0.5 * light,
    }
    iris = sampler.choice("iris", weights)
    return EyeSpec(
        iris,
        sampler.number("pupil_mm", 1.3, 2.3),
        sampler.number("iris_mm", 5.7, 6.1),
        sampler.number("redness", 0.1, 0.6),
        sampler.seed(),
    )
