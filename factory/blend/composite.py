"""Hair over images, in linear light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from capture import PixelClass
from generator.cameras.photo import scene_light, tone_curve
from generator.cameras.sensor import quantised_srgb, srgb, variance, weighed
from generator.components.photo import PhotoSpec
from generator.components.sensor import SensorSpec

Floats = NDArray[np.float32]

_COVERED = 0.5  # alpha from which on a pixel shows hair
_LEAST = 1 / 255
_OWN_NOISE = 1  # separates the noise of the hair from that of the image below


def cleaned(overlay: Floats) -> Floats:
    """The overlay (H, W, 4) without cover that no 8-bit image shows: what a denoiser leaves beside hair."""
    return np.asarray(np.where(overlay[..., 3:] < _LEAST, 0, overlay), np.float32)


def blend(
    image: NDArray[np.uint8],
    overlay: Floats,
    sensor: SensorSpec | None = None,
    view: int = 0,
    photo: PhotoSpec | None = None,
) -> NDArray[np.uint8]:
    """The image with hair over it: hair + (1 - alpha) image, in linear light.

    A known sensor sees the hair with the gains and the vignetting of its view, and adds the noise that the sum has and
    the image below doesn't bring (see `generator.cameras.sensor`). A known camera's tone curve is undone below the hair
    and done again over it. Pixels without hair keep their values exactly.

    Args:
        image: (H, W, 3) sRGB.
        overlay: (H, W, 4) linear light, premultiplied with the alpha in the last channel.
        sensor: that took the image, None where it isn't known.
        view: number of the view, for the sensor.
        photo: the camera's processing, None where it isn't known.
    """
    photo = photo or PhotoSpec()
    alpha = np.clip(overlay[..., 3:], 0, 1)
    hair, below = np.maximum(overlay[..., :3], 0), scene_light(image, photo)
    if sensor is not None:
        hair = weighed(hair, sensor, view)
    light = hair + (1 - alpha) * below
    if sensor is not None:
        lacking = np.maximum(variance(light, sensor) - (1 - alpha) ** 2 * variance(below, sensor), 0)
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([sensor.seed, view, _OWN_NOISE])))
        light = light + np.sqrt(lacking) * rng.standard_normal(light.shape, dtype=np.float32)
    return np.where(alpha > 0, quantised_srgb(tone_curve(srgb(light), photo)), image)


def blend_classes(mask: NDArray[np.uint8], alpha: Floats, hair: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The class mask (H, W) with hair where it covers more than half of a pixel.

    Args:
        mask: (H, W) ids of the image below.
        alpha: (H, W).
        hair: (H, W) ids of the hair at the centres of the pixels, 0 where there is none; a covered pixel whose centre
            lies between strands takes the nearest one's.
    """
    covered = alpha > _COVERED
    if not covered.any():
        return mask
    if not hair.any():
        return np.where(covered, np.uint8(PixelClass.SCALP_HAIR), mask)
    rows, columns = distance_transform_edt(hair == 0, return_distances=False, return_indices=True)
    return np.where(covered, hair[rows, columns], mask)
