"""Colour of the skin at the vertices: tone and what changes slowly over the face. Finer texture is the shader's."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from capture.geometry import Floats
from generator.components.skin import LIPSTICKS, SHADOWS, MakeUp, SkinSpec
from generator.head import HeadGeometry

# Linear albedo over melanin 0 to 1, in the spirit of measured skin (Monk scale swatches, converted).
_TONES = np.array(
    [
        [0.800, 0.560, 0.450],
        [0.730, 0.470, 0.345],
        [0.620, 0.365, 0.245],
        [0.470, 0.255, 0.155],
        [0.310, 0.155, 0.090],
        [0.180, 0.086, 0.050],
        [0.095, 0.045, 0.028],
    ]
)

_EXPOSED_FOR = 0.34  # luminance of the skin that needs no correction


def tone(spec: SkinSpec) -> Floats:
    """(3,) linear albedo of the plain skin."""
    at = np.linspace(0, 1, len(_TONES))
    base = np.array([np.interp(spec.melanin, at, column) for column in _TONES.T])
    red = np.array([1.02, 0.93, 0.93]) ** (2 * (spec.haemoglobin - 0.5))
    return np.asarray(base * red)


def exposure_gain(spec: SkinSpec) -> float:
    """Light that a photographer gives this skin, over that for a fair one: a third, in stops, of what it lacks."""
    luminance = float(tone(spec) @ np.array([0.2126, 0.7152, 0.0722]))
    return float(np.clip((_EXPOSED_FOR / luminance) ** (1 / 3), 0.85, 1.8))


def skin_albedo(spec: SkinSpec, head: HeadGeometry, roots: Floats | None = None) -> Floats:
    """(V, 3) linear albedo of the skin's vertices; `roots` (V,) 0 to 1 darkens where dark hair grows densely."""
    skin = head.skin
    colour = np.tile(tone(spec), (len(skin.vertices), 1))
    fair = 1 - 0.6 * spec.melanin
    flushed, thin, tanned = np.array([1.0, 0.70, 0.68]), np.array([0.84, 0.76, 0.84]), np.array([0.95, 0.90, 0.80])
    colour *= flushed ** (0.75 * spec.flush * fair * _flush(skin.base, skin.masks))[:, None]
    colour *= thin ** (1.1 * spec.circles * _under_eyes(skin.base))[:, None]
    colour *= tanned ** (0.6 * _forehead(skin.base))[:, None]  # more sun, less blood
    jaw = np.maximum(region(skin.masks, "beard"), region(skin.masks, "moustache"))
    colour *= np.array([0.62, 0.66, 0.74]) ** (spec.shadow * jaw)[:, None]
    if roots is not None:
        colour *= np.array([0.28, 0.27, 0.28]) ** roots[:, None]
    lips = region(skin.masks, "lips")[:, None] * spec.lips
    lip_colour = tone(spec) * np.array([0.80, 0.42, 0.44]) + np.array([0.02, 0.0, 0.005]) * (1 - spec.melanin)
    colour = colour * (1 - lips) + lip_colour * lips
    colour = _painted(colour, spec.makeup, head)
    dark = np.maximum.reduce([region(skin.masks, name) for name in ("nostrils", "inner_mouth")])
    colour *= np.array([0.45, 0.24, 0.22]) ** dark[:, None]
    margin = region(skin.masks, "lid_margin")[:, None]
    colour *= np.array([0.98, 0.86, 0.84]) ** margin
    return np.asarray(np.clip(colour, 0.005, 0.9))


def skin_overlay(spec: SkinSpec, head: HeadGeometry, roots: Floats | None = None) -> Floats:
    """(V, 3) what a photographed texture is multiplied with: roots, the shadow of a beard, darkness under the eyes."""
    skin = head.skin
    jaw = np.maximum(region(skin.masks, "beard"), region(skin.masks, "moustache"))
    colour = np.array([0.62, 0.66, 0.74]) ** (spec.shadow * jaw)[:, None]
    colour = colour * np.array([0.84, 0.76, 0.84]) ** (0.5 * spec.circles * _under_eyes(skin.base))[:, None]
    if roots is not None:
        colour = colour * np.array([0.28, 0.27, 0.28]) ** roots[:, None]
    return np.asarray(colour)


def _painted(colour: Floats, makeup: MakeUp, head: HeadGeometry) -> Floats:
    """The colours (V, 3) under make-up."""
    skin = head.skin
    lids = soft_spot(skin.base, (0.033, -0.012, 0.007), (0.017, 0.03, 0.007)) * (skin.base[:, 2] > 0.001)
    cheeks = soft_spot(skin.base, (0.052, 0.0, -0.036), (0.018, 0.04, 0.013))
    layers = [
        (LIPSTICKS[makeup.lip_colour], 0.75 * makeup.lipstick * region(skin.masks, "lips")),
        (SHADOWS[makeup.shadow_colour], 0.75 * makeup.shadow * lids),
        ((0.01, 0.008, 0.008), 0.9 * makeup.liner * _along_lashes(head)),
        ((0.45, 0.10, 0.10), 0.35 * makeup.blush * cheeks),
    ]
    for paint, amount in layers:
        colour = colour * (1 - amount[:, None]) + np.array(paint) * amount[:, None]
    return colour


def _along_lashes(head: HeadGeometry) -> Floats:
    """(V,) 1 on the upper lash lines, 0 from 1.6 mm beside them."""
    amount = np.zeros(len(head.skin.vertices))
    for name, line in head.chains.items():
        if name.startswith("lash_upper") and len(line) > 1:
            near = np.flatnonzero(np.linalg.norm(head.skin.vertices - line.mean(axis=0), axis=1) < 0.03)
            dense = np.concatenate([np.linspace(a, b, 6) for a, b in pairwise(line)])
            gap = np.linalg.norm(head.skin.vertices[near, None] - dense[None], axis=2).min(axis=1)
            amount[near] = np.maximum(amount[near], np.clip(1.6 - gap / 0.001, 0, 1))
    return amount


def region(masks: Mapping[str, Floats], name: str) -> Floats:
    """A region, or zeros where the head model has none of this name."""
    if name in masks:
        return np.asarray(masks[name])
    return np.zeros(len(next(iter(masks.values()))))


def soft_spot(base: Floats, centre: tuple[float, float, float], size: tuple[float, float, float]) -> Floats:
    """(V,) a soft ellipsoid around a point of the mean head and its mirror image."""
    side = np.stack([np.abs(base[:, 0]), base[:, 1], base[:, 2]], axis=1)
    return np.asarray(np.exp(-(((side - np.array(centre)) / np.array(size)) ** 2).sum(axis=1)))


def _flush(base: Floats, masks: Mapping[str, Floats]) -> Floats:
    cheeks = soft_spot(base, (0.040, -0.005, -0.040), (0.020, 0.04, 0.016))
    nose = soft_spot(base, (0.0, -0.045, -0.038), (0.014, 0.02, 0.014))
    chin = 0.5 * soft_spot(base, (0.0, -0.03, -0.100), (0.016, 0.03, 0.010))
    return np.asarray(np.clip(cheeks + 0.9 * nose + chin + 0.8 * region(masks, "ears"), 0, 1.2))


def _under_eyes(base: Floats) -> Floats:
    return np.asarray(
        soft_spot(base, (0.030, -0.01, -0.017), (0.014, 0.04, 0.006))
        + 0.6 * soft_spot(base, (0.017, -0.01, 0.004), (0.006, 0.04, 0.008))
    )


def _forehead(base: Floats) -> Floats:
    return soft_spot(base, (0.0, -0.01, 0.05), (0.06, 0.05, 0.028))
