"""Decoding images: whatever Pillow opens becomes 8 bits a channel, by the file's own range."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture import InputError, PixelClass
from capture.colour_range import to_bytes, white_level
from capture.runtime.warnings_once import warn_once
from scans.images.opening import opened_image

MAX_PIXELS = 90_000_000  # a larger photograph is shrunk while it is decoded
_BAND = 8_000_000  # pixels that are converted at once, of those
_DARK = 1 / 16  # of white: 12 bits in 16
_BITS, _SAMPLE_FORMAT, _PHOTOMETRIC, _MAX_SAMPLE = 258, 339, 262, 281  # tags of a TIFF file
_SIGNED, _WHITE_IS_ZERO = 2, 0
_ORIENTATION = 274  # of EXIF: where the stored image's first row and first column belong
_TOPS = {3: "bottom", 4: "bottom", 5: "left", 6: "left", 7: "right", 8: "right"}


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """An image file's pixels, as they are stored: nothing is turned by what EXIF says.

    Attributes:
        colours: (H, W, 3) sRGB.
        opaque: (H, W) bool, where its alpha channel is half or more; None where it is so everywhere.
        width, height: of the file, pixels; the arrays are smaller where a very large image was shrunk.
    """

    colours: NDArray[np.uint8]
    opaque: NDArray[np.bool_] | None
    width: int
    height: int


def decode_file(source: Path | bytes, where: str = "", max_pixels: int | None = MAX_PIXELS) -> DecodedImage:
    """Decode an image file.

    Integers of more than 8 bits are divided by the largest of their depth, as the file tells it (65535 / 255 = 257 for
    16 bits); floats are shares of white as `white_level` finds it, and clipped there.

    Args:
        source: path, or the file's bytes.
        where: name of the file in errors; its path by default.
        max_pixels: an image that has more is shrunk by a whole factor; None decodes any as it is.

    Raises:
        InputError: naming `where`, where it is missing, damaged or of a format that isn't read.
    """
    with opened_image(source, where or str(source)) as image:
        width, height = image.size
        factor = 1 if max_pixels is None else math.ceil(math.sqrt(width * height / max_pixels))
        part = _draft(image, factor)
        convert = _converter(image, where or str(source))
        colours = _shrunk(image, convert, part)
        opaque = None
        if "A" in image.getbands():
            alpha = _shrunk(image, lambda band: band.getchannel("A"), part) >= 128
            opaque = None if alpha.all() else alpha
    return DecodedImage(colours, opaque, width, height)


def image_size(source: Path | bytes, where: str) -> tuple[int, int]:
    """Width and height of an image file, of which only the beginning is read; raises as `decode_file` does."""
    with opened_image(source, where) as image:
        return image.size


def image_top(source: Path | bytes, where: str) -> str:
    """The edge of the stored image that is the top of the photograph by its EXIF: top, bottom, left or right.

    Raises as `decode_file` does.
    """
    with opened_image(source, where) as image:
        try:
            return _TOPS.get(image.getexif().get(_ORIENTATION, 1), "top")
        except (
            SyntaxError,
            ValueError,
            KeyError,
            IndexError,
            TypeError,
            struct.error,
        ):  # damaged EXIF of a whole image
            return "top"


def decode_image(data: bytes, where: str) -> NDArray[np.uint8]:
    """(H, W, 3) sRGB of an image file's bytes, shrunk where it is very large; raises as `decode_file` does."""
    return decode_file(data, where).colours


def decode_classes(data: bytes, where: str) -> NDArray[np.uint8]:
    """(H, W) ids of `PixelClass` of a mask file's bytes; raises `InputError` naming `where` if it is anything else."""
    with opened_image(data, where, "mask") as image:
        classes = np.asarray(image)
    if classes.ndim != 2 or classes.dtype != np.uint8 or classes.max(initial=0) > max(PixelClass):
        raise InputError(f"mask {where} is not a grey image of class ids; generate it again")
    return classes


def read_foreground(path: Path) -> NDArray[np.bool_]:
    """(H, W) where a foreground mask of any type is not black, and not transparent either.

    Raises `InputError` where it is missing, damaged or of a format that isn't read.
    """
    with opened_image(path, str(path), "mask") as image:
        deep = image.mode.startswith(("I", "F"))
        inside = np.asarray(image if deep else image.convert("L")) > 0
        if "A" in image.getbands():
            inside &= np.asarray(image.getchannel("A")) > 0
    return inside


def resize_image(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """(height, width, 3), bicubic with antialiasing."""
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


@dataclass(frozen=True)
class _Part:
    """Factor to shrink by; width and height of the image that is decoded, which may be no whole numbers."""

    factor: int
    width: float
    height: float


def _draft(image: Image.Image, factor: int) -> _Part:
    """Let a JPEG's decoder shrink by 2, 4 or 8, where it can; what is left to do."""
    if factor > 1 and image.format in ("JPEG", "MPO"):
        by = min(8, 1 << (factor - 1).bit_length())
        width, height = image.size
        drafted = image.draft(image.mode, (max(1, width // by), max(1, height // by)))
        if drafted is not None:
            _, (_, _, right, bottom) = drafted
            return _Part(-(-factor // by), right, bottom)
    return _Part(factor, *image.size)


def _shrunk(image: Image.Image, convert: Callable[[Image.Image], Image.Image], part: _Part) -> NDArray[np.uint8]:
    """The converted image, shrunk in bands of rows: a very large one never exists as a whole in three channels."""
    width, height, factor = image.width, image.height, part.factor
    if factor == 1 and (width, height) == (part.width, part.height):
        return np.asarray(convert(image))
    rows = factor * max(1, _BAND // (width * factor))
    bands = []
    for top in range(0, height, rows):
        band = convert(image.crop((0, top, width, min(top + rows, height))))
        bands.append(np.asarray(band.reduce(factor)))
    made = Image.fromarray(np.concatenate(bands))
    right, bottom = part.width / factor, part.height / factor  # what lies beyond is the rest of a block
    size = (max(1, round(right)), max(1, round(bottom)))
    if (right, bottom) != made.size:
        made = made.resize(size, Image.Resampling.BILINEAR, box=(0, 0, right, bottom))
    return np.asarray(made)


def _converter(image: Image.Image, where: str) -> Callable[[Image.Image], Image.Image]:
    """The function that makes RGB of the image or of a part of it."""
    if not image.mode.startswith(("I", "F")):
        return lambda part: part if part.mode == "RGB" else part.convert("RGB")
    unsigned = _tag(image, _BITS) == 32 and _tag(image, _SAMPLE_FORMAT) in (None, 1)
    values = _values(image, unsigned)
    white = _white(image, values)
    if _tag(image, _BITS) is not None and _tag(image, _PHOTOMETRIC) == _WHITE_IS_ZERO:
        return lambda part: Image.fromarray(to_bytes(white - _values(part, unsigned), white)).convert("RGB")
    if values.dtype.kind in "iu" and values.max(initial=0) < white * _DARK:
        warn_once(
            f"{Path(where).parent}: of {round(math.log2(white + 1))} bits no value uses the upper 4, so its images are "
            "dark; where the camera gave fewer bits than the file has, multiply the values"
        )
    return lambda part: Image.fromarray(to_bytes(_values(part, unsigned), white)).convert("RGB")


def _values(image: Image.Image, unsigned: bool) -> NDArray:
    values = np.asarray(image)
    if unsigned and values.dtype == np.int32:
        return values.view(np.uint32)
    return values


def _white(image: Image.Image, values: NDArray) -> float:
    """The value that is white: the largest of the integers, of floats what they look like."""
    if image.mode == "F":
        return white_level(values)
    bits = _tag(image, _BITS) or (32 if image.mode == "I" and image.format not in ("PNG", "PPM") else 16)
    told = _tag(image, _MAX_SAMPLE) or 0
    # Others are some program's note of the image's own maximum, which would make each view another brightness.
    is_depth = 8 < told.bit_length() < bits and told + 1 == 1 << told.bit_length()
    if is_depth and values.max(initial=0) <= told:
        return float(told)
    if image.format in ("TIFF", "PNG", "PPM", "JPEG2000"):
        return float(2 ** (bits - 1 if _tag(image, _SAMPLE_FORMAT) == _SIGNED else bits) - 1)
    return white_level(values)


def _tag(image: Image.Image, number: int) -> int | None:
    """The first value of a TIFF file's tag; None where it is none, or hasn't it."""
    tags = getattr(image, "tag_v2", None)
    value = None if tags is None else tags.get(number)
    return int(value[0] if isinstance(value, tuple) else value) if value is not None else None
