"""Options of a blended capture."""

from __future__ import annotations

from dataclasses import dataclass, field

from capture import InputError
from factory.stages.settings import RenderSettings, RenderSetup
from generator.components.beard import FAMILIES as BEARDS
from generator.components.hair import FAMILIES
from registration.options import RegisterOptions


@dataclass(frozen=True)
class HairOverrides:
    """Hair that is blended.

    Attributes:
        hair: family of the scalp's hair; by default drawn: any that isn't bald, or an asset of a library.
        beard: family of the beard.
        seed: seed of what is drawn at random.
    """

    hair: str | None = None
    beard: str = "none"
    seed: int = 0

    def __post_init__(self) -> None:
        for option, name, known in (("hair", self.hair, FAMILIES), ("beard", self.beard, BEARDS)):
            if name is not None and name not in known:
                raise InputError(f"`{option}` {name}: use one of {', '.join(known)}")
        if self.hair == "none" and self.beard == "none":
            raise InputError("`hair` none `beard` none: nothing is left to blend; choose a family for one of them")
        if self.seed < 0:
            raise InputError(f"`seed` {self.seed}: use an integer from 0 on")


@dataclass(frozen=True)
class BlendOptions:
    """Options of blending hair over a capture.

    Attributes:
        hair: that is blended.
        rendering: of the hair; resolution and passes aren't used, and its head model is the template.
        registration: of the clean scan; where nothing says what is skin, all of the scan counts. Its folder isn't used.
    """

    hair: HairOverrides = field(default_factory=HairOverrides)
    rendering: RenderSetup = field(default_factory=RenderSetup)
    registration: RegisterOptions = field(default_factory=RegisterOptions)

    @property
    def render(self) -> RenderSettings:
        """Settings of the rendering, with the template as head model."""
        chosen = self.rendering
        return RenderSettings(
            samples=chosen.samples,
            blender=chosen.blender,
            library=chosen.library,
            head_model=self.registration.template,
            device=chosen.device,
        )
