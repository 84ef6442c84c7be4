"""Light and background."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from assets.parameter_sampler import DIGITS, ParameterSampler
from capture import InputError
from generator.components.limits import check_colours, check_limits
from generator.components.person import Person

# The panoramas that Blender ships in datafiles/studiolights/world.
HDRIS: tuple[str, ...] = ("city", "courtyard", "forest", "interior", "night", "studio", "sunrise", "sunset")
LIGHTINGS: dict[str, float] = {"panorama": 0.47, "dome": 0.22, "softboxes": 0.16,
                               "overhead": 0.05, "side": 0.05, "flash": 0.05}  # fmt: skip
LAMPS = ("overhead", "side", "flash")  # one small lamp each
BACKGROUNDS: dict[str, float] = {"panorama": 0.5, "black": 0.15, "grey": 0.2, "colour": 0.15, "transparent": 0.0}


@dataclass(frozen=True)
class EnvironmentSpec:
    """Attributes:
    lighting: a key of `LIGHTINGS`: the panorama, a capture dome around the head, a photographer's softboxes, or one
        small lamp, high above, at one side, or beside the front camera.
    hdri: the panorama, one of `HDRIS` or the id of an asset of kind hdri (`<library>/<name>`).
    rotation: of the panorama about the vertical, degrees.
    exposure: of a grey card facing the front camera, 1 is neutral.
    backdrop: linear RGB of a plain background, or None to see the panorama.
    dim: brightness of the panorama that is seen, over that of the panorama which lights or would light.
    specular: share of the gloss that is left; 1 for plain light, near 0 for crossed polarisers.
    unevenness: of the dome, 0 even to 1.
    key: azimuth and elevation of the main softbox or the lamp, degrees, azimuth to the subject's left.
    contrast: light of the main softbox over that of the one on the other side, of the lamp over that of the room.
    softness: half of the angle that the main softbox or the lamp takes, degrees.
    transparent: the images have an alpha channel in the place of a background.
    """

    lighting: str = "panorama"
    hdri: str = "studio"
    rotation: float = 0.0
    exposure: float = 1.0
    backdrop: tuple[float, float, float] | None = None
    dim: float = 1.0
    specular: float = 1.0
    unevenness: float = 0.0
    key: tuple[float, float] = (40.0, 25.0)
    contrast: float = 2.0
    softness: float = 25.0
    transparent: bool = field(default=False, metadata={"optional": True})

    def __post_init__(self) -> None:
        if self.hdri not in HDRIS and "/" not in self.hdri:
            raise InputError(f"environment {self.hdri!r}: use one of {', '.join(HDRIS)} or the id of an hdri asset")
        if self.lighting not in LIGHTINGS:
            raise InputError(f"environment lighting {self.lighting!r}: use one of {', '.join(LIGHTINGS)}")
        if not (abs(self.key[0]) <= 180 and abs(self.key[1]) <= 90):
            raise InputError(f"environment key {self.key}: use an azimuth of -180 to 180 and an elevation of -90 to 90")
        check_colours("environment", self, "backdrop")
        check_limits("environment", self, {"exposure": (0.05, 20), "dim": (0, 10), "specular": (0, 1),
                                           "unevenness": (0, 1), "contrast": (1, 100),
                                           "softness": (3, 90)})  # fmt: skip

    @property
    def black(self) -> bool:
        """Whether the background sends no light."""
        return self.backdrop is not None and not any(self.backdrop)


def sample_environment(sampler: ParameterSampler, person: Person) -> EnvironmentSpec:
    """A panorama, dome, softboxes or lamp, whoever it lights; behind the head the panorama, black, grey or a colour."""
    lighting = sampler.choice("lighting", LIGHTINGS, shows=_LIT)
    hdri = sampler.choice("hdri", dict.fromkeys((*HDRIS, *_asset_ids(sampler)), 1.0))
    rotation, exposure = sampler.number("rotation", 0, 360), sampler.number("exposure", 0.85, 1.2)
    background, backdrop = sampler.choice("background", BACKGROUNDS, shows=_BEHIND), _sample_backdrop(sampler)
    own = sampler.within(lighting, LIGHTINGS)
    dim = own.number("dim", *_DIM.get(lighting, (0.15, 1.0)))
    polarised = own.flag("polarised", 0.6 if lighting == "dome" else 0.0, yes_for=("leak",))
    leak = own.number("leak", 0.05, 0.3)
    unevenness = own.number("unevenness", 0.0, 0.4)
    main = _MAIN.get(lighting, _MAIN["softboxes"])
    side, height, contrast, softness = (own.number(name, *main[name]) for name in main)
    if own.flag("from_right", 0.5 if lighting == "side" else 0.0):
        side = -side
    if background == "black" and sampler.overridden("background") and not sampler.overridden("black"):
        backdrop["black"] = (0.0, 0.0, 0.0)  # who asks for black gets none of the dark greys
    behind = None if background == "panorama" else backdrop[background]
    return EnvironmentSpec(
        lighting,
        hdri,
        rotation,
        exposure,
        behind,
        dim,
        leak if polarised else 1.0,
        unevenness,
        (side, height),
        contrast,
        softness,
        background == "transparent",
    )


_DIM = {"panorama": (1.0, 1.0), "flash": (0.05, 0.4)}
_MAIN: dict[str, dict[str, tuple[float, float]]] = {
    "softboxes": {"azimuth": (-75, 75), "elevation": (5, 50), "contrast": (1.3, 4), "softness": (15, 40)},
    "overhead": {"azimuth": (-35, 35), "elevation": (50, 78), "contrast": (2.5, 9), "softness": (3, 8)},
    "side": {"azimuth": (55, 95), "elevation": (0, 35), "contrast": (2.5, 8), "softness": (3, 10)},
    "flash": {"azimuth": (-6, 6), "elevation": (0, 12), "contrast": (2, 6), "softness": (3, 5)},
}
"""Lighting -> ranges of its main softbox or lamp."""
_LIT: dict[str, tuple[str, ...]] = {"unevenness": ("dome",), "from_right": ("side",)}
_LIT |= dict.fromkeys(_MAIN["softboxes"], ("softboxes", *LAMPS))
"""Question -> lighting that it shows with."""
_BEHIND = {"dim": ("panorama",), "black": ("black",), "grey": ("grey",)}
_BEHIND |= dict.fromkeys(("level", "tint_red", "tint_green", "tint_blue"), ("colour",))
"""Question -> backgrounds that it shows with."""


def _asset_ids(sampler: ParameterSampler) -> list[str]:
    """The ids of assets that an override of the panorama names; `generator.asset_selection` looks them up."""
    override = sampler.wanted("hdri")
    names = [override] if isinstance(override, str) else override if isinstance(override, Iterable) else []
    return [name for name in names if isinstance(name, str) and "/" in name]


def _sample_backdrop(sampler: ParameterSampler) -> dict[str, tuple[float, float, float]]:
    """Linear RGB of each kind of plain background."""
    black, grey = sampler.number("black", 0.0, 0.02, power=2), sampler.number("grey", 0.05, 0.6, power=2)
    level = sampler.number("level", 0.02, 0.6, power=2)
    red, green, blue = (round(level * sampler.number(f"tint_{c}", 0.25, 1), DIGITS) for c in ("red", "green", "blue"))
    nothing = (0.0, 0.0, 0.0)
    plain = {"black": (black,) * 3, "grey": (grey,) * 3, "colour": (red, green, blue)}
    return {"panorama": nothing, "transparent": nothing, **plain}
