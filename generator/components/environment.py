"""Light and background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capture import InputError
from generator.components import draw

# The panoramas that Blender ships in datafiles/studiolights/world.
HDRIS: tuple[str, ...] = ("city", "courtyard", "forest", "interior", "night", "studio", "sunrise", "sunset")


@dataclass(frozen=True)
class EnvironmentSpec:
    """Attributes:
    hdri: one of `HDRIS`.
    rotation: about the vertical, degrees.
    exposure: of a grey card facing the front camera, 1 is neutral.
    backdrop: linear RGB of a plain background, or None to see the panorama.
    """

    hdri: str = "studio"
    rotation: float = 0.0
    exposure: float = 1.0
    backdrop: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        if self.hdri not in HDRIS:
            raise InputError(f"environment {self.hdri!r}: use one of {', '.join(HDRIS)}")


def sample_environment(rng: np.random.Generator) -> EnvironmentSpec:
    """Any panorama from any side, behind the head or replaced by a plain backdrop."""
    hdri = draw.pick(rng, dict.fromkeys(HDRIS, 1.0))
    rotation, exposure = draw.uniform(rng, 0, 360), draw.uniform(rng, 0.85, 1.2)
    plain, level = draw.chance(rng, 0.45), draw.uniform(rng, 0, 1) ** 2
    tint = [draw.uniform(rng, 0.8, 1) for _ in "rgb"]
    red, green, blue = (round(level * t * 0.7, draw.DIGITS) for t in tint)
    return EnvironmentSpec(hdri, rotation, exposure, (red, green, blue) if plain else None)
