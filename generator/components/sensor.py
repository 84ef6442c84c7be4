"""The sensor of the cameras: noise, white balance, gains, vignetting."""

from __future__ import annotations

from dataclasses import dataclass

from assets.parameter_sampler import ParameterSampler
from generator.components.limits import SEED, check_limits
from generator.components.person import Person


@dataclass(frozen=True)
class SensorSpec:
    """Attributes:
    white_electrons: electrons that a white pixel has collected; shot noise is their square root.
    read_electrons: standard deviation of the read noise, electrons.
    red, blue: gain of the channels over green: the error of the white balance.
    spread: standard deviation of the cameras' gains, as they never agree fully.
    vignetting: light that the corners of the image lack, 0 to 1.
    seed: of the noise.
    """

    white_electrons: float = 30000.0
    read_electrons: float = 4.0
    red: float = 1.0
    blue: float = 1.0
    spread: float = 0.0
    vignetting: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_limits("sensor", self, {"white_electrons": (100, 1e9), "read_electrons": (0, 1e4), "red": (0.2, 5),
                                      "blue": (0.2, 5), "spread": (0, 0.3), "vignetting": (0, 0.9),
                                      "seed": SEED})  # fmt: skip


def sample_sensor(sampler: ParameterSampler, person: Person) -> SensorSpec:
    """From small sensors in little light to large ones in studio light, whoever they see."""
    stops = sampler.number("noise_stops", 0.0, 3.0)
    return SensorSpec(
        round(60000.0 / 2.0**stops, 3),
        sampler.number("read_electrons", 2.0, 8.0),
        sampler.number("red", 0.96, 1.04),
        sampler.number("blue", 0.95, 1.05),
        sampler.number("spread", 0.0, 0.02),
        sampler.number("vignetting", 0.0, 0.12, power=2),
        sampler.seed(),
    )
