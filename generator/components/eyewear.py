"""Eyewear: spectacles and sunglasses."""

from __future__ import annotations

from dataclasses import dataclass

from assets.parameter_sampler import ParameterSampler
from capture import InputError
from generator.components.frame_styles import FRAME_STYLES, NOT_WORN
from generator.components.limits import check_colours, check_limits
from generator.components.person import Person

KINDS: dict[str, float] = {"none": NOT_WORN.weight} | {kind: style.weight for kind, style in FRAME_STYLES.items()}
FINISHES = ("metal", "acetate", "tortoise")

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class EyewearSpec:
    """Attributes:
    kind: a key of `KINDS`.
    finish: one of `FINISHES`.
    colour: linear RGB of the frame.
    tint: linear RGB that the lenses let through.
    lens_mm: width of a lens.
    lens_ratio: its height over its width.
    rim_mm: width of the rim seen from the front.
    bridge_mm: between the lenses.
    curve_mm: radius of the lenses' front.
    tilt_deg: of the lenses' lower edges towards the cheeks (pantoscopic tilt).
    slide_mm: of the frame down the nose.
    """

    kind: str = "none"
    finish: str = "acetate"
    colour: Colour = (0.02, 0.02, 0.02)
    tint: Colour = (0.98, 0.98, 0.98)
    lens_mm: float = 50.0
    lens_ratio: float = 0.7
    rim_mm: float = 3.5
    bridge_mm: float = 18.0
    curve_mm: float = 120.0
    tilt_deg: float = 8.0
    slide_mm: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.finish not in FINISHES:
            raise InputError(
                f"eyewear {self.kind!r} {self.finish!r}: use one of {', '.join(KINDS)} of {', '.join(FINISHES)}"
            )
        check_colours("eyewear", self, "colour", "tint")
        check_limits("eyewear", self, {"lens_mm": (25, 80), "lens_ratio": (0.3, 1.3), "rim_mm": (0.4, 10),
                                       "bridge_mm": (8, 35), "curve_mm": (60, 1e4), "tilt_deg": (-5, 20),
                                       "slide_mm": (-5, 15)})  # fmt: skip


METALS: tuple[Colour, ...] = ((0.80, 0.80, 0.82), (0.83, 0.62, 0.28), (0.10, 0.10, 0.11), (0.78, 0.52, 0.42))


def sample_eyewear(sampler: ParameterSampler, person: Person) -> EyewearSpec:
    """Any kind on everyone; dark lenses mostly where the frame is made for them."""
    kind = sampler.choice("kind", KINDS, shows=_SHOWS)
    own, style = sampler.within(kind, KINDS), FRAME_STYLES.get(kind, NOT_WORN)
    finish = own.choice("finish", style.finishes, shows=_FINISHED)
    metal = METALS[min(int(own.number("metal", 0, len(METALS))), len(METALS) - 1)]
    hue, saturation = own.number("hue", 0, 1), own.number("saturation", 0.0, 0.9, power=2)
    value = own.number("value", 0.012, 0.35, power=2.5)
    dark = own.flag("dark", style.sunglasses, yes_for=("through", "warmth"))
    through = own.number("through", 0.04, 0.28)
    warmth = own.number("warmth", -1.0, 1.0)
    clear = (0.98, 0.98, 0.98)
    tinted = tuple(round(through * factor, 6) for factor in (1 + 0.45 * warmth, 1.0, 1 - 0.45 * warmth))
    colour = metal if finish == "metal" else _hsv(hue, saturation, value)
    drawn = {name: own.number(name, *getattr(style, name)) for name in DRAWN}
    return EyewearSpec(kind, finish, colour, tinted if dark else clear, **drawn)  # type: ignore[arg-type]


DRAWN = ("lens_mm", "lens_ratio", "rim_mm", "bridge_mm", "curve_mm", "tilt_deg", "slide_mm")
_COLOUR = ("hue", "saturation", "value")
_FINISHED = {"metal": ("metal",)} | dict.fromkeys(_COLOUR, ("acetate", "tortoise"))
"""Question -> finishes that it shows with."""
_SHOWS = dict.fromkeys((*DRAWN, *_COLOUR, "finish", "metal", "dark", "through", "warmth"), tuple(KINDS)[1:])
"""Question -> kinds that it shows with."""


def _hsv(hue: float, saturation: float, value: float) -> Colour:
    channels = [min(max(abs((6 * hue + shift) % 6 - 3) - 1, 0), 1) for shift in (0, 4, 2)]
    red, green, blue = (round(value * (1 - saturation + saturation * c), 6) for c in channels)
    return red, green, blue
