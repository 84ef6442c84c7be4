"""From the light that Cycles computes to the photograph: motion, the sensor, the camera's processing, JPEG."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from generator.cameras.filters import Floats, convolve, gaussian_blur, line_kernel, smooth_detail
from generator.cameras.jpeg import through_jpeg
from generator.cameras.sensor import collect, decoded, linear_light, quantised_srgb, srgb
from generator.components.photo import UNCOMPRESSED, PhotoSpec
from generator.components.sensor import SensorSpec

_NO_LIGHT = 1e-4  # below half a step of 8 bits
_DENOISED_PX = 2  # the denoiser's squares reach as far to each side


def take_photo(
    linear: Floats,
    sensor: SensorSpec | None,
    photo: PhotoSpec,
    view: int,
    black: bool = False,
    alone: bool = False,
) -> NDArray[np.uint8]:
    """The sRGB image of a view.

    The order is that of a camera: the image moves while light is collected, the denoiser comes before the tone curve,
    sharpening after it, compression last.

    Args:
        linear: (H, W, 3), 1 is white; brighter is cut.
        sensor: None for none.
        photo: the camera's processing.
        view: number of the camera in its rig.
        black: what sends no light is 0: for a background that is to be black.
        alone: pixels stay alone: only what looks at one at a time is done, sensor and tone curve. For images with an
            alpha channel, where neighbours may be clear.
    """
    dark = (linear < _NO_LIGHT).all(axis=-1)
    if photo.motion_px > 0 and not alone:
        linear = convolve(np.asarray(linear, np.float32), motion(photo, view))
    values = srgb(collect(linear, sensor, view))
    if photo.denoising > 0 and not alone:
        values = smooth_detail(values, _DENOISED_PX, photo.denoising)
    values = tone_curve(values, photo)
    if photo.sharpening > 0 and not alone:
        values = sharpen(values, photo.sharpening, photo.radius_px)
    pixels = quantised_srgb(values)
    if photo.quality < UNCOMPRESSED and not alone:
        pixels = through_jpeg(pixels, math.floor(photo.quality), photo.subsampled)
    if black:
        pixels[dark] = 0
    return pixels


def motion(photo: PhotoSpec, view: int) -> NDArray[np.float64]:
    """Kernel of a view's path: in any direction, a tenth of `motion_px` long or more."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([photo.seed, view])))
    length, angle = photo.motion_px * rng.uniform(0.1, 1.0), rng.uniform(0.0, math.pi)
    return line_kernel(float(length), float(angle))


def tone_curve(values: Floats, photo: PhotoSpec) -> Floats:
    """sRGB values in [0, 1] with shadows lifted and contrast raised; black, white and the order of tones stay.

    Lifting adds x (1 - x)^2, scaled to its height at 1/3; contrast turns the line into the cubic 3 x^2 - 2 x^3.
    """
    if not (photo.shadows or photo.contrast):
        return values
    values = values + np.float32(6.75 * photo.shadows) * values * (1 - values) ** 2
    contrast = np.float32(photo.contrast)
    return np.asarray(values + contrast * values * (values * (3 - 2 * values) - 1), np.float32)


def sharpen(values: Floats, amount: float, deviation: float) -> Floats:
    """Unsharp masking of the luma: its detail is added once more to all channels, with the halos that this gives."""
    red, green, blue = np.moveaxis(values, -1, 0)
    luma = np.float32(0.299) * red + np.float32(0.587) * green + np.float32(0.114) * blue
    return values + (np.float32(amount) * (luma - gaussian_blur(luma, deviation)))[..., None]


def scene_light(pixels: NDArray[np.uint8], photo: PhotoSpec) -> Floats:
    """Linear light in [0, 1] of an image, without the tone curve."""
    if not (photo.shadows or photo.contrast):
        return linear_light(pixels)
    tones = np.linspace(0, 1, 4097, dtype=np.float32)
    return decoded(np.interp(np.arange(256) / 255, tone_curve(tones, photo), tones))[pixels]
