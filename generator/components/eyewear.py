"""Eyewear: spectacles and sunglasses."""

from __future__ import annotations

from dataclasses import dataclass

from assets.parameter_sampler import ParameterSampler
from capture import InputError
from generator.components.limits import check_colours, check_limits
from generator.components.person import Person

KINDS: dict[str, float] = {
    "none": 0.70,
    "round": 0.06,
    "rectangular": 0.10,
    "browline": 0.05,
    "aviator": 0.03,
    "wayfarer": 0.04,
    "cateye": 0.02,
}
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


Range = tuple[float, float]
_FRAME: dict[str, Range] = {"bridge_mm": (16, 21), "curve_mm": (90, 160), "tilt_deg": (4, 11), "slide_mm": (0, 4)}
RANGES: dict[str, dict[str, Range]] = {
    "none": _FRAME | {"lens_mm": (50, 50), "lens_ratio": (0.7, 0.7), "rim_mm": (3, 3)},
    "round": _FRAME | {"lens_mm": (43, 50), "lens_ratio": (0.92, 1.0), "rim_mm": (1.1, 1.9)},
    "rectangular": _FRAME | {"lens_mm": (49, 55), "lens_ratio": (0.58, 0.72), "rim_mm": (2.6, 4.6)},
    "browline": _FRAME | {"lens_mm": (48, 53), "lens_ratio": (0.72, 0.82), "rim_mm": (1.2, 1.6)},
    "aviator": _FRAME | {"lens_mm": (54, 60), "lens_ratio": (0.80, 0.90), "rim_mm": (1.1, 1.6), "curve_mm": (80, 100)},
    "wayfarer": _FRAME | {"lens_mm": (49, 54), "lens_ratio": (0.72, 0.82), "rim_mm": (3.5, 5.5)},
    "cateye": _FRAME | {"lens_mm": (49, 54), "lens_ratio": (0.70, 0.82), "rim_mm": (2.6, 4.5)},
}
"""Ranges that each kind draws evenly from."""
METAL = {"metal": 1.0, "acetate": 0.0, "tortoise": 0.0}
ACETATE = {"metal": 0.0, "acetate": 0.7, "tortoise": 0.3}
FINISH_WEIGHTS = {
    "none": ACETATE,
    "round": {"metal": 0.8, "acetate": 0.1, "tortoise": 0.1},
    "rectangular": ACETATE,
    "browline": ACETATE,
    "aviator": METAL,
    "wayfarer": ACETATE,
    "cateye": ACETATE,
}
METALS: tuple[Colour, ...] = ((0.80, 0.80, 0.82), (0.83, 0.62, 0.28), (0.10, 0.10, 0.11), (0.78, 0.52, 0.42))
SUNGLASSES = {"aviator": 0.95, "wayfarer": 0.75, "cateye": 0.3}
"""Probability that the lenses are dark."""


def sample_eyewear(sampler: ParameterSampler, person: Person) -> EyewearSpec:
    """Any kind on everyone; dark lenses mostly where the frame is made for them."""
    kind = sampler.choice("kind", KINDS)
    own = sampler.within(kind, KINDS)
    finish = own.choice("finish", FINISH_WEIGHTS[kind])
    metal = METALS[min(int(own.number("metal", 0, len(METALS))), len(METALS) - 1)]
    hue, saturation = own.number("hue", 0, 1), own.number("saturation", 0.0, 0.9, power=2)
    value = own.number("value", 0.012, 0.35, power=2.5)
    dark = own.flag("dark", SUNGLASSES.get(kind, 0.03))
    through = own.number("through", 0.04, 0.28)
    warmth = own.number("warmth", -1.0, 1.0)
    clear = (0.98, 0.98, 0.98)
    tinted = tuple(round(through * factor, 6) for factor in (1 + 0.45 * warmth, 1.0, 1 - 0.45 * warmth))
    colour = metal if finish == "metal" else _hsv(hue, saturation, value)
    drawn = {name: own.number(name, *RANGES[kind][name]) for name in DRAWN}
    return EyewearSpec(kind, finish, colour, tinted if dark else clear, **drawn)  # type: ignore[arg-type]


DRAWN = ("lens_mm", "lens_ratio", "rim_mm", "bridge_mm", "curve_mm", "tilt_deg", "slide_mm")


def _hsv(hue: float, saturation: float, value: float) -> Colour:
    channels = [min(max(abs((6 * hue + shift) % 6 - 3) - 1, 0), 1) for shift in (0, 4, 2)]
    red, green, blue = (round(value * (1 - saturation + saturation * c), 6) for c in channels)
    return red, green, blue
