"""Styles of scans: in what the scans of different scanners and programs differ, drawn or by name.

Photogrammetry trims hair away or rebuilds it as a blob that runs into forehead and collar; scans are closed, smoothed,
simplified, noisy, cut off. A network that has seen one way of rebuilding alone knows none of the others. A style
changes what is made of the depth maps; these are the same for all styles of a head.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

import numpy as np

from capture import InputError

_MOST_LEVELS = 2  # coarser ones leave no eyes and lips in a face
MOST_STYLES = 100  # their numbers have two digits in names of files
_KEY = 0x7374796C  # of the stream that styles are drawn from, beside the capture's seed


@dataclass(frozen=True)
class ScanStyle:
    """The way that a scan is made of depth maps. The defaults are the scan that lies nearest to the surface.

    Attributes:
        name: of the style that this is or that it was drawn from.
        keep_hair: keep surfaces that only coarser levels of the stereo have found, as of hair.
        closed_mm: keep the mesh up to so far from the points, millimetres, whatever its shape: holes and open ends are
            closed over. 0 goes by `max_gap` and `max_lift`.
        looseness: times `max_gap` and `max_lift` by which the mesh may leave the points; above 1 webs and ragged
            borders stay.
        pieces: keep small pieces.
        octree_levels: levels by which the octree of the surface is coarser: each doubles its cells.
        share: of the vertices that a scan has by default, or of `vertices` where that is set.
        smooth_mm: standard deviation of the smoothing, millimetres.
        noise_mm: standard deviation of the noise along the normals, millimetres.
        noise_width_mm: distance over which the noise goes together, millimetres.
        cut: share of the height that is cut off from below; of a bust a third leaves what is above the chin.
        wall_mm: distance of a wall behind the head, millimetres; 0 is none.

    Raises:
        InputError: where a value can't be used.
    """

    name: str = "trimmed"
    keep_hair: bool = False
    closed_mm: float = 0.0
    looseness: float = 1.0
    pieces: bool = False
    octree_levels: int = 0
    share: float = 1.0
    smooth_mm: float = 0.0
    noise_mm: float = 0.0
    noise_width_mm: float = 2.0
    cut: float = 0.0
    wall_mm: float = 0.0

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name != "name" and not (math.isfinite(value) and value >= 0):
                raise InputError(f"style {self.name}: `{each.name}` {value}: it must be 0 or more")
        if not 0 <= self.cut < 0.9:
            raise InputError(f"style {self.name}: `cut` {self.cut}: use 0 to 0.9")
        if self.share <= 0 or self.looseness <= 0 or self.noise_width_mm <= 0:
            raise InputError(f"style {self.name}: `share`, `looseness` and `noise_width_mm` must be above 0")

    @property
    def surface_key(self) -> tuple[bool, float, float, int]:
        """The settings that decide where there is a surface, before it is cut, simplified and finished."""
        return self.keep_hair, self.closed_mm, self.looseness, self.octree_levels

    def in_unit(self, metres: float) -> ScanStyle:
        """The style for a scan whose unit is so many metres: its lengths are thousandths of that unit."""
        names = ("closed_mm", "smooth_mm", "noise_mm", "noise_width_mm", "wall_mm")
        return replace(self, **{name: getattr(self, name) / metres for name in names})

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any, where: str) -> Self:
        """The inverse of `to_json`; `where` names the file in errors."""
        known = {each.name for each in fields(cls)}
        if not isinstance(value, Mapping) or not known >= set(value):
            raise InputError(f"{where}: not a style of a scan; reconstruct the capture again")
        try:
            return cls(**value)
        except TypeError as error:
            raise InputError(f"{where}: {error}; reconstruct the capture again") from None


TRIMMED = ScanStyle()
STYLES: dict[str, ScanStyle] = {
    style.name: style
    for style in (
        TRIMMED,
        ScanStyle("hair", keep_hair=True, closed_mm=15.0, octree_levels=1),
        ScanStyle("closed", keep_hair=True, closed_mm=30.0, octree_levels=1),
        ScanStyle("shell", keep_hair=True, closed_mm=30.0, octree_levels=2, smooth_mm=1.0, share=0.5),
        ScanStyle("fringed", keep_hair=True, looseness=8.0, pieces=True, octree_levels=1),
        ScanStyle("smooth", keep_hair=True, closed_mm=15.0, octree_levels=1, smooth_mm=2.0),
        ScanStyle("coarse", keep_hair=True, closed_mm=15.0, octree_levels=1, share=0.15),
        ScanStyle("noisy", keep_hair=True, closed_mm=15.0, octree_levels=1, noise_mm=0.3),
        ScanStyle("wall", keep_hair=True, closed_mm=15.0, octree_levels=1, wall_mm=150.0),
        ScanStyle("cut", keep_hair=True, closed_mm=15.0, octree_levels=1, cut=0.25),
    )
}
"""Name -> style, for those who want a certain one."""


def style_named(name: str) -> ScanStyle:
    """Raises `InputError` where there is none of that name."""
    if name not in STYLES:
        raise InputError(f"`style` {name!r}: use one of {', '.join(STYLES)}")
    return STYLES[name]


def sample_style(rng: np.random.Generator) -> ScanStyle:
    """Draw how a scan is made: what becomes of hair and holes, and each of the other traits for itself."""
    base = STYLES[str(rng.choice(["hair", "trimmed", "closed", "shell", "fringed"], p=[0.4, 0.15, 0.15, 0.15, 0.15]))]
    octree, loose, share, cut, wall, smooth, noise = rng.random(7)
    amounts = rng.random(7)
    style = replace(base, share=_log_between(0.12, 1.6, amounts[2]) if share < 0.6 else base.share)
    if loose < 0.5:
        name = "closed_mm" if base.closed_mm else "looseness"
        style = replace(style, **{name: getattr(base, name) * _log_between(0.5, 2.0, amounts[1])})
    if octree < 0.3 and base.octree_levels < _MOST_LEVELS:
        style = replace(style, octree_levels=base.octree_levels + 1)
    if smooth < 0.35:
        style = replace(style, smooth_mm=_log_between(0.5, 3.0, amounts[5]))
    if noise < 0.3:
        width = _log_between(1.0, 8.0, rng.random())
        style = replace(style, noise_mm=_log_between(0.05, 0.5, amounts[6]), noise_width_mm=width)
    if cut < 0.35:
        style = replace(style, cut=0.05 + 0.27 * float(amounts[3]))
    if wall < 0.1:
        style = replace(style, wall_mm=_log_between(60.0, 400.0, amounts[4]))
    return _rounded(style)


def styles_of(seed: int, first: str, count: int) -> tuple[ScanStyle, ...]:
    """The styles of a capture: the first by its name, the others drawn, each from a stream of its own.

    More of them leave those before as they are.
    """
    drawn = (sample_style(np.random.default_rng([_KEY, seed, number])) for number in range(1, count))
    return style_named(first), *drawn


def _log_between(low: float, high: float, at: float) -> float:
    return float(low * (high / low) ** at)


def _rounded(style: ScanStyle) -> ScanStyle:
    """To three digits: a style is read in files."""
    values = {name: float(f"{value:.3g}") for name, value in asdict(style).items() if isinstance(value, float)}
    return ScanStyle(**(asdict(style) | values))
