"""What the cameras' sensors add to the light that reaches them."""

from __future__ import annotations

from dataclasses import dataclass

from assets.draw import Draw


@dataclass(frozen=True)
class SensorSpec:
    """Attributes:
    seed: of the noise.
    """

    seed: int = 0


def sample_sensor(draw: Draw) -> SensorSpec:
    """A sensor."""
    return SensorSpec(draw.seed())
