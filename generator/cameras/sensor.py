"""The sensor: from the light that Cycles computes to what a camera measures, and sRGB."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generator.components.sensor import SensorSpec

Floats = NDArray[np.float32]


def collect(linear: Floats, spec: SensorSpec | None, view: int) -> Floats:
    """The light (H, W, 3) that the sensor of a view measures; 1 is white.

    Gains and the loss towards the corners come first, then noise, all in linear light. The number of electrons is
    Poisson distributed; from some hundreds on, a normal distribution of the same variance tells no difference, so the
    variance of a channel x (1 is white) is x / N + (r / N)^2 with N electrons at white and read noise r (EMVA 1288,
    "Linear model"). The same spec and view give the same noise; without a spec there is none.
    """
    light = np.maximum(linear, 0).astype(np.float32)
    if spec is None:
        return light
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([spec.seed, view])))
    light = _weighed(light, spec, rng)
    deviation = np.sqrt(variance(light, spec))
    return light + deviation * rng.standard_normal(light.shape, dtype=np.float32)


def weighed(linear: Floats, spec: SensorSpec, view: int) -> Floats:
    """Light (H, W, 3) with the gains of a view and its loss towards the corners, without noise."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([spec.seed, view])))
    return _weighed(np.maximum(linear, 0).astype(np.float32), spec, rng)


def _weighed(light: Floats, spec: SensorSpec, rng: np.random.Generator) -> Floats:
    gain = 1 + spec.spread * float(np.clip(rng.standard_normal(), -2.5, 2.5))
    light *= np.array([gain * spec.red, gain, gain * spec.blue], np.float32)
    light *= (1 - spec.vignetting * _radius_squared(*light.shape[:2]))[..., None]
    return light


def variance(light: Floats, spec: SensorSpec) -> Floats:
    """Of the noise in light that the sensor collects: shot noise and read noise."""
    full = np.float32(spec.white_electrons)
    return np.asarray(light / full + np.float32((spec.read_electrons / spec.white_electrons) ** 2), np.float32)


def quantised(light: Floats) -> NDArray[np.uint8]:
    """Linear light in [0, 1], cut there, as 8-bit sRGB."""
    return quantised_srgb(srgb(light))


def quantised_srgb(values: Floats) -> NDArray[np.uint8]:
    """sRGB values in [0, 1], cut there, in 8 bits."""
    return (np.clip(values, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def srgb(linear: Floats) -> Floats:
    """Linear light in [0, 1], cut there, through the transfer curve of sRGB (IEC 61966-2-1)."""
    x = np.clip(linear, 0, 1).astype(np.float32)
    power = np.power(np.maximum(x, np.float32(0.0031308)), np.float32(1 / 2.4))
    return np.where(
        x <= np.float32(0.0031308), np.float32(12.92) * x, np.float32(1.055) * power - np.float32(0.055)
    ).astype(np.float32)


def linear_light(pixels: NDArray[np.uint8]) -> Floats:
    """Linear light in [0, 1] of 8-bit sRGB values (IEC 61966-2-1): `quantised` gives the same values back."""
    return decoded(np.arange(256) / 255)[pixels]


def decoded(values: NDArray[np.floating]) -> Floats:
    """Linear light of sRGB values in [0, 1]: the inverse of `srgb`."""
    low = values <= 0.04045
    return np.where(low, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _radius_squared(height: int, width: int) -> Floats:
    """(H, W) square of the distance to the centre of the image, 1 in the corners."""
    y = (np.arange(height, dtype=np.float32) + 0.5) / height * 2 - 1
    x = (np.arange(width, dtype=np.float32) + 0.5) / width * 2 - 1
    return np.asarray((height**2 * y[:, None] ** 2 + width**2 * x**2) / (height**2 + width**2), np.float32)
