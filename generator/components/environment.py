"""Light and background."""

from __future__ import annotations

from dataclasses import dataclass

from assets.draw import DIGITS, Draw
from capture import InputError

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


def sample_environment(draw: Draw) -> EnvironmentSpec:
    """Any panorama from any side, behind the head or replaced by a plain backdrop."""
    hdri = draw.choice("hdri", dict.fromkeys(HDRIS, 1.0))
    rotation, exposure = draw.number("rotation", 0, 360), draw.number("exposure", 0.85, 1.2)
    plain, level = draw.flag("plain", 0.45), draw.number("level", 0, 0.7, power=2)
    red, green, blue = (round(level * draw.number("tint", 0.8, 1), DIGITS) for _ in "rgb")
    return EnvironmentSpec(hdri, rotation, exposure, (red, green, blue) if plain else None)
