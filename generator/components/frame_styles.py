"""Styles of spectacle frames: everything that distinguishes one from another stands in its row of `FRAME_STYLES`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Range = tuple[float, float]

ACETATE = {"metal": 0.0, "acetate": 0.7, "tortoise": 0.3}
METAL = {"metal": 1.0, "acetate": 0.0, "tortoise": 0.0}
MOSTLY_METAL = {"metal": 0.8, "acetate": 0.1, "tortoise": 0.1}


@dataclass(frozen=True)
class LensOutline:
    """A superellipse, bent.

    Attributes:
        power: of the superellipse, 2 an ellipse, more is squarer.
        flare: by how much the upper edge is wider than the lower, over the width.
        lift: of the outer upper corner, in heights.
        drop: of the outer lower corner, a teardrop's, in heights.
    """

    power: float
    flare: float = 0.0
    lift: float = 0.0
    drop: float = 0.0


@dataclass(frozen=True)
class FrameStyle:
    """A style of frame.

    Attributes:
        weight: how often it is drawn, beside the other styles and `NOT_WORN`; in the end they sum to 1.
        lens: outline of the lenses.
        lens_mm, lens_ratio, rim_mm, bridge_mm, curve_mm, tilt_deg, slide_mm: ranges that the fields of `EyewearSpec`
            are drawn from, evenly.
        finishes: finish -> probability.
        sunglasses: probability that the lenses are dark.
        hinge_height: of the corner piece, over the height of the lens's upper half.
        wire_rims: whether rims and bridge are wires in every finish.
        bridge_wire_mm: radius of a bridge of wire.
        brow_bar: whether a heavy bar lies on the upper half of the rims.
        top_bar: whether a second bar joins the rims above the bridge.
    """

    weight: float
    lens: LensOutline
    lens_mm: Range
    lens_ratio: Range
    rim_mm: Range
    bridge_mm: Range = (16, 21)
    curve_mm: Range = (90, 160)
    tilt_deg: Range = (4, 11)
    slide_mm: Range = (0, 4)
    finishes: Mapping[str, float] = field(default_factory=lambda: ACETATE)
    sunglasses: float = 0.03
    hinge_height: float = 0.62
    wire_rims: bool = False
    bridge_wire_mm: float = 0.9
    brow_bar: bool = False
    top_bar: bool = False


FRAME_STYLES: dict[str, FrameStyle] = {
    "round": FrameStyle(
        weight=0.06,
        lens=LensOutline(2.1),
        lens_mm=(43, 50),
        lens_ratio=(0.92, 1.0),
        rim_mm=(1.1, 1.9),
        finishes=MOSTLY_METAL,
        hinge_height=0.25,
    ),
    "rectangular": FrameStyle(
        weight=0.10,
        lens=LensOutline(4.6, flare=0.05),
        lens_mm=(49, 55),
        lens_ratio=(0.58, 0.72),
        rim_mm=(2.6, 4.6),
    ),
    "browline": FrameStyle(
        weight=0.05,
        lens=LensOutline(3.0, flare=0.12),
        lens_mm=(48, 53),
        lens_ratio=(0.72, 0.82),
        rim_mm=(1.2, 1.6),
        hinge_height=0.72,
        wire_rims=True,
        bridge_wire_mm=1.2,
        brow_bar=True,
    ),
    "aviator": FrameStyle(
        weight=0.03,
        lens=LensOutline(2.5, flare=0.22, drop=0.10),
        lens_mm=(54, 60),
        lens_ratio=(0.80, 0.90),
        rim_mm=(1.1, 1.6),
        curve_mm=(80, 100),
        finishes=METAL,
        sunglasses=0.95,
        top_bar=True,
    ),
    "wayfarer": FrameStyle(
        weight=0.04,
        lens=LensOutline(3.6, flare=0.16, lift=0.05),
        lens_mm=(49, 54),
        lens_ratio=(0.72, 0.82),
        rim_mm=(3.5, 5.5),
        sunglasses=0.75,
    ),
    "cateye": FrameStyle(
        weight=0.02,
        lens=LensOutline(2.7, flare=0.14, lift=0.20),
        lens_mm=(49, 54),
        lens_ratio=(0.70, 0.82),
        rim_mm=(2.6, 4.5),
        sunglasses=0.3,
    ),
}
"""Kind of `EyewearSpec` -> its style. A new kind of spectacles is a new row."""

NOT_WORN = FrameStyle(weight=0.70, lens=LensOutline(2.0), lens_mm=(50, 50), lens_ratio=(0.7, 0.7), rim_mm=(3, 3))
"""What is drawn for a head without spectacles: the questions are the same for every head."""
