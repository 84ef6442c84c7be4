"""Changes of an image and its class ids that keep it a picture of a head: where it is, how light and camera see it."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from capture import InputError

IGNORED = 255  # in class ids: nothing is known of the pixel
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601

Picture = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True)
class Change:
    """One change; `change(...)` is a function of it alone.

    Attributes:
        flip: left and right are swapped.
        scale: of the content: above 1 it is enlarged.
        turn: of the content around the image's centre, radians.
        shift: of the content to the right and down, in shares of the image.
        gain: factor of each channel (brightness and the light's colour).
        contrast: factor of what differs from the mean.
        saturation: factor of what differs from grey.
        gamma: exponent.
        blur: standard deviation in pixels.
        noise: standard deviation, of 1.
        noise_seed: of the noise.
        jpeg: quality of the JPEG that it went through, None without.
    """

    flip: bool = False
    scale: float = 1.0
    turn: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    contrast: float = 1.0
    saturation: float = 1.0
    gamma: float = 1.0
    blur: float = 0.0
    noise: float = 0.0
    noise_seed: int = 0
    jpeg: int | None = None


@dataclass(frozen=True)
class Augmentation:
    """Strength of the changes of images while training; 0 leaves them.

    Attributes:
        flip: share of images that are mirrored.
        scale: heads become up to so many times larger or smaller, as a power of 2.
        turn: heads are turned by up to so many degrees, either way.
        shift: heads are shifted by up to this share of the image.
        colour: strength of changes of brightness, contrast, saturation, gamma and the light's colour.
        blur: standard deviation of the blur in pixels, at most, in a third of the images.
        noise: standard deviation of the noise, of 1, at most, in half of the images.
        jpeg: share of images that are JPEGs of low quality.
    """

    flip: float = 0.5
    scale: float = 0.7
    turn: float = 15.0
    shift: float = 0.15
    colour: float = 0.3
    blur: float = 1.2
    noise: float = 0.04
    jpeg: float = 0.3

    def __post_init__(self) -> None:
        shares = (self.flip, self.jpeg, self.colour)
        if not all(0 <= share <= 1 for share in shares) or min(self.scale, self.turn, self.shift) < 0:
            raise InputError("`flip`, `jpeg` and `colour` lie in [0, 1], `scale`, `turn` and `shift` from 0 up")
        if min(self.blur, self.noise) < 0:
            raise InputError("`blur` and `noise` must not be negative")

    def sample(self, rng: np.random.Generator) -> Change:
        """Draw a change; each draws the same count of numbers, so that one option doesn't change the others."""
        flip, blurred, noisy, jpeg = rng.random(4)
        scale, turn, right, down, level, contrast, saturation, gamma = rng.uniform(-1, 1, 8)
        tint = rng.uniform(-1, 1, 3)
        blur, noise = rng.random(2)
        quality, seed = int(rng.integers(30, 91)), int(rng.integers(2**31))
        gain = (1 + self.colour * level) * (1 + self.colour / 3 * tint)
        return Change(
            flip=bool(flip < self.flip),
            scale=float(2 ** (self.scale * scale)),
            turn=float(np.radians(self.turn * turn)),
            shift=(float(self.shift * right), float(self.shift * down)),
            gain=(float(gain[0]), float(gain[1]), float(gain[2])),
            contrast=float(1 + self.colour * contrast),
            saturation=float(1 + self.colour * saturation),
            gamma=float(2 ** (self.colour * gamma)),
            blur=float(self.blur * blur) if blurred < 1 / 3 else 0.0,
            noise=float(self.noise * noise) if noisy < 1 / 2 else 0.0,
            noise_seed=seed,
            jpeg=quality if jpeg < self.jpeg else None,
        )


def change(image: NDArray[np.uint8], classes: NDArray[np.uint8], what: Change) -> Picture:
    """The image (H, W, 3) and its class ids (H, W) after a change; ids are `IGNORED` where nothing was seen."""
    image, classes = _move(image, classes, what)
    return _see(image, what), classes


def _move(image: NDArray[np.uint8], classes: NDArray[np.uint8], what: Change) -> Picture:
    """Flip first, then scale, turn and shift about the centre: image and ids by the same map."""
    if what.flip:
        image, classes = image[:, ::-1], classes[:, ::-1]
    if what.scale == 1 and what.turn == 0 and what.shift == (0, 0):
        return np.ascontiguousarray(image), np.ascontiguousarray(classes)
    height, width = classes.shape
    cosine, sine = np.cos(what.turn) / what.scale, np.sin(what.turn) / what.scale
    back = np.array([[cosine, sine], [-sine, cosine]])  # from the result's pixels to the given ones
    centre = np.array([width / 2, height / 2])
    offset = centre - back @ (centre + np.array(what.shift) * [width, height])
    matrix = (back[0, 0], back[0, 1], offset[0], back[1, 0], back[1, 1], offset[1])
    size, affine = (width, height), Image.Transform.AFFINE
    moved = Image.fromarray(np.ascontiguousarray(image)).transform(
        size, affine, matrix, Image.Resampling.BILINEAR, fillcolor=(127, 127, 127)
    )
    ids = Image.fromarray(np.ascontiguousarray(classes)).transform(
        size, affine, matrix, Image.Resampling.NEAREST, fillcolor=IGNORED
    )
    return np.asarray(moved), np.asarray(ids)


def _see(image: NDArray[np.uint8], what: Change) -> NDArray[np.uint8]:
    """The image after changes of light, lens, sensor and file format."""
    if what.blur > 0:
        image = np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(what.blur)))
    values = np.float32(image) / 255 * np.array(what.gain, np.float32)
    if what.saturation != 1:
        grey = (values @ _LUMA)[..., None]
        values = grey + np.float32(what.saturation) * (values - grey)
    if what.contrast != 1:
        mean = values.mean(dtype=np.float32)
        values = mean + np.float32(what.contrast) * (values - mean)
    if what.gamma != 1:
        values = np.clip(values, 0, 1) ** np.float32(what.gamma)
    if what.noise > 0:
        rng = np.random.default_rng(what.noise_seed)
        values = values + np.float32(what.noise) * rng.standard_normal(values.shape, np.float32)
    image = np.clip(values * 255 + 0.5, 0, 255).astype(np.uint8)
    if what.jpeg is None:
        return image
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=what.jpeg)
    return np.asarray(Image.open(buffer))
