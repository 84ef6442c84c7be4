"""Absorption and scattering of hair of a colour.

Chiang et al. 2016, "A Practical and Controllable Hair and Fur Model for Production Path Tracing", sections 4.2 and 6.1,
with the absorption of pigments that Blender's manual has for "Principled Hair BSDF".
"""

from __future__ import annotations

import numpy as np

from capture.geometry import Floats
from generator.components.hair_colour import RGB, HairColour

EUMELANIN, PHEOMELANIN = (0.506, 0.841, 1.653), (0.343, 0.733, 1.924)
"""Absorption per unit of pigment, of red, green and blue light."""
TONES = (0.72, 1.16)
"""Pigment of the lightest and of the darkest lock, over that of the spec."""
GREY_PIGMENT = 0.04
"""Pigment of a grey strand, over that of the others."""
BLEACHED = 0.12
"""Melanin below a dye."""
RADIAL_ROUGHNESS = 0.3
# Reflectance by albedo, fitted to renders of long hair in six colours (black to white, and blue) from the front and
# from behind, in which diffuse strands took the place of the hair shader from the second bounce on.
_LEAST, _RANGE, _HALF = 0.13, 0.82, 0.056


def albedo_exponent(radial_roughness: float) -> float:
    """The factor of the root of the absorption in the logarithm of the albedo."""
    b = radial_roughness
    return ((((0.245 * b + 5.574) * b - 10.73) * b + 2.532) * b - 0.215) * b + 5.969


def inner_colour(colour: HairColour) -> RGB:
    """Linear RGB of diffuse strands that light hair from within as strands of a colour do, the mean over all of them.

    A strand that is hit after another one stands for all that light still meets on its way.
    """
    grey = colour.grey * (1 - colour.dyed)
    tones = np.linspace(*TONES, 9)
    shares = ((1 - grey, tones), (grey, GREY_PIGMENT * tones))
    red, green, blue = sum(share * _reflectance(colour, pigment).mean(axis=0) for share, pigment in shares)
    return float(red), float(green), float(blue)


def _reflectance(colour: HairColour, pigment: Floats) -> Floats:
    """(N, 3) diffuse reflectance of strands with shares (N,) of a colour's pigment, dyed as it says."""
    natural = np.clip(pigment * colour.melanin, 0, 1)
    melanin = natural + (np.clip(pigment, 0, 1 / BLEACHED) * BLEACHED - natural) * colour.dyed
    amount = -np.log(np.maximum(1 - melanin, 1e-4))[:, None]
    pure = (1 - colour.redness) * np.array(EUMELANIN) + colour.redness * np.array(PHEOMELANIN)
    exponent = albedo_exponent(RADIAL_ROUGHNESS)
    tint = np.clip(1 + colour.dyed * (np.array(colour.tint) - 1), 1e-5, 1)
    absorption = amount * pure + (np.log(tint) / exponent) ** 2
    albedo = np.exp(-np.sqrt(absorption) * exponent)
    return np.asarray(_LEAST + _RANGE * albedo / (albedo + _HALF))
