"""Estimate of the level of the light and the tone of the skin from photographs of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from capture import Camera, InputError, Mesh, vertex_normals
from generator.cameras.sensor import linear_light
from generator.components.skin import SkinSpec
from generator.lighting import LUMINANCE
from generator.skin.colour import exposure_gain, tone

Floats = NDArray[np.float64]

_FACING = 0.5  # cosine between normal and the way to the camera
_HUE = 0.12  # spread of log(red / green) and log(green / blue) of skin of one tone, white balance included
_STOPS = 0.5  # spread of exposures about what a photographer gives a skin
_LEAST = 100  # samples of skin


@dataclass(frozen=True)
class SkinLight:
    """Tone of the skin and level of the light.

    Attributes:
        melanin: of the skin, as in `SkinSpec`.
        level: of the light, as a multiple of one in which a grey card comes out grey.
    """

    melanin: float
    level: float


def skin_samples(views: Iterable[tuple[Camera, NDArray[np.uint8]]], mesh: Mesh, chosen: NDArray[np.bool_]) -> Floats:
    """(N, 3) linear light of the chosen vertices of a mesh, in the views (cameras, images) that they face."""
    points = np.asarray(mesh.vertices, float)
    normals = vertex_normals(points, mesh.faces)[chosen]
    points = points[chosen]
    samples = []
    for camera, image in views:
        way = camera.centre - points
        facing = (normals * way).sum(axis=1) > _FACING * np.linalg.norm(way, axis=1)
        pixels = camera.project(points)[0]
        at = pixels[facing & camera.inside(pixels)].astype(np.int64)
        samples.append(linear_light(image[at[:, 1], at[:, 0]]))
    return np.concatenate(samples).astype(float)


def estimate_light(samples: Floats, what: str) -> SkinLight:
    """Tone of a skin and level of the light from what cameras saw of it.

    Brightness alone doesn't tell a dark skin from little light. Hue does, roughly: red over green and green over blue
    grow with melanin. And photographers expose for the skin (`exposure_gain`). The tone that agrees best with both is
    taken, the spreads being guesses of ours; the level is then what makes that tone as bright as it was seen.

    Args:
        samples: (N, 3) linear light.
        what: names the capture in errors.

    Raises `InputError` where the cameras see next to no skin.
    """
    if len(samples) < _LEAST:
        raise InputError(f"{what}: the face lies outside of its images; are scan and cameras in one frame?")
    seen = np.maximum(np.median(samples, axis=0), 1e-4)
    least, estimate = np.inf, SkinLight(0.3, 1.0)
    for melanin in np.linspace(0, 1, 101):
        spec = replace(SkinSpec(), melanin=float(melanin))
        colour = tone(spec)
        level = float(seen @ LUMINANCE) / float(colour @ LUMINANCE)
        hue = np.diff(np.log(seen)) - np.diff(np.log(colour))
        stops = np.log2(level / exposure_gain(spec))
        cost = float(((hue / _HUE) ** 2).sum() + (stops / _STOPS) ** 2)
        if cost < least:
            least, estimate = cost, SkinLight(round(float(melanin), 2), round(level, 4))
    return estimate
