"""Images as other tools write them, read by this program: what came of each, as a table.

One small photograph-like picture is written by Pillow, tifffile, OpenCV and imageio in the ways that cameras and their
software do. Right is the picture at 8 bits a channel: exactly where the file is lossless, nearly where it is not. The
exit code is 1 where a file is read otherwise.

    python -m benchmarks.foreign_images [WORD ...]      # only rows whose names hold one of the words
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial, wraps
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.foreign_files import ForeignFile, Writer, print_table
from scans.images.decoding import decode_file

Row = tuple[str, str, np.ndarray, Writer]  # name, suffix, the picture that is right, what writes it

HEIGHT, WIDTH = 120, 160
LOSSY = 6.0  # mean difference that compression may leave


def picture() -> np.ndarray:
    """(H, W, 3) uint8: smooth shades, all channels different, dark and bright parts."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    shades = np.stack([x / WIDTH, y / HEIGHT, (x + y) / (WIDTH + HEIGHT)], axis=-1)
    return np.round(20 + 210 * shades).astype(np.uint8)


RGB = picture()
GREY = RGB[..., 1]
GREY_RGB = np.repeat(GREY[..., None], 3, axis=2)


def pillow_rows() -> Iterator[Row]:
    """Files by Pillow."""
    colour, grey = Image.fromarray(RGB), Image.fromarray(GREY)

    def save(image: Image.Image, **options: Any) -> Writer:
        return lambda path: image.save(path, **options)

    yield "Pillow, PNG", "png", RGB, save(colour)
    yield "Pillow, PNG, grey", "png", GREY_RGB, save(grey)
    yield "Pillow, PNG, interlaced palette", "png", RGB, save(colour.quantize(256))
    yield "Pillow, PNG, alpha", "png", RGB, save(Image.fromarray(np.dstack([RGB, np.full_like(GREY, 255)])))
    yield "Pillow, PNG, grey and alpha", "png", GREY_RGB, save(grey.convert("LA"))
    yield "Pillow, PNG, 16-bit grey", "png", GREY_RGB, save(Image.fromarray(GREY.astype(np.uint16) * 257))
    yield "Pillow, PNG, 1 bit", "png", np.where(GREY_RGB > 127, 255, 0), save(Image.fromarray(GREY > 127))
    yield "Pillow, JPEG", "jpg", RGB, save(colour, quality=95)
    yield "Pillow, JPEG, progressive", "jpg", RGB, save(colour, quality=95, progressive=True)
    yield "Pillow, JPEG, grey", "jpg", GREY_RGB, save(grey, quality=95)
    yield "Pillow, JPEG, CMYK", "jpg", RGB, save(colour.convert("CMYK"), quality=95)
    yield "Pillow, JPEG, capital letters", "JPG", RGB, save(colour, quality=95, format="JPEG")
    yield "Pillow, TIFF", "tif", RGB, save(colour)
    yield "Pillow, TIFF, LZW", "tif", RGB, save(colour, compression="tiff_lzw")
    yield "Pillow, TIFF, JPEG inside", "tif", RGB, save(colour, compression="jpeg")
    yield "Pillow, TIFF, CMYK", "tif", RGB, save(colour.convert("CMYK"))
    yield "Pillow, TIFF, Lab", "tif", RGB, save(_lab(colour))
    yield "Pillow, TIFF, 32-bit float grey", "tif", GREY_RGB, save(Image.fromarray((GREY / 255).astype(np.float32)))
    yield "Pillow, BMP", "bmp", RGB, save(colour)
    yield "Pillow, WebP, lossless", "webp", RGB, save(colour, lossless=True)
    yield "Pillow, JPEG 2000", "jp2", RGB, save(colour)
    yield "Pillow, PPM", "ppm", RGB, save(colour)
    yield "Pillow, TGA", "tga", RGB, save(colour)


def _lab(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB")
    assert converted is not None
    return converted


def tifffile_rows() -> Iterator[Row]:
    """TIFF files by tifffile, as scientific and machine-vision cameras write them."""
    import tifffile

    def write(array: np.ndarray, **options: Any) -> Writer:
        return lambda path: tifffile.imwrite(path, array, **options)

    twelve = np.round(GREY / 255 * 4095).astype(np.uint16)
    deep = RGB.astype(np.uint16) * 257
    yield "tifffile, 16-bit grey", "tif", GREY_RGB, write(GREY.astype(np.uint16) * 257)
    yield "tifffile, 16-bit colour", "tif", RGB, write(deep, photometric="rgb")
    yield (
        "tifffile, 16-bit colour, planes",
        "tif",
        RGB,
        write(np.moveaxis(deep, 2, 0), photometric="rgb", planarconfig="separate"),
    )
    yield "tifffile, 16-bit grey, big endian", "tif", GREY_RGB, write(GREY.astype(np.uint16) * 257, byteorder=">")
    yield (
        "tifffile, 12 bits in 16, told by MaxSampleValue",
        "tif",
        GREY_RGB,
        write(twelve, extratags=[(281, "H", 1, 4095, True)]),
    )
    dark = np.repeat(np.round(twelve / 257)[..., None], 3, axis=2)
    yield "tifffile, 12 bits in 16, not told: dark, and warned of", "tif", dark, write(twelve)
    yield "tifffile, float grey 0 to 1", "tif", GREY_RGB, write((GREY / 255).astype(np.float32))
    yield "tifffile, float colour 0 to 1", "tif", RGB, write((RGB / 255).astype(np.float32), photometric="rgb")
    yield "tifffile, float grey 0 to 255", "tif", GREY_RGB, write(GREY.astype(np.float32))
    yield "tifffile, half float grey", "tif", GREY_RGB, write((GREY / 255).astype(np.float16))
    yield "tifffile, tiles", "tif", RGB, write(RGB, tile=(64, 64), photometric="rgb")
    yield "tifffile, BigTIFF", "tif", RGB, write(RGB, bigtiff=True, photometric="rgb")
    yield (
        "tifffile, 8-bit colour and alpha",
        "tif",
        RGB,
        write(np.dstack([RGB, np.full_like(GREY, 255)]), photometric="rgb", extrasamples=["unassalpha"]),
    )
    yield "tifffile, grey, white is zero", "tif", GREY_RGB, write(255 - GREY, photometric="miniswhite")


def opencv_rows() -> Iterator[Row]:
    """Files by OpenCV, as machine-vision pipelines write them."""
    import cv2

    def write(array: np.ndarray) -> Writer:
        return lambda path: _written(cv2.imwrite(str(path), array[..., ::-1] if array.ndim == 3 else array))

    yield "OpenCV, PNG, 16-bit colour", "png", RGB, write(RGB.astype(np.uint16) * 257)
    yield "OpenCV, PNG, 16-bit grey", "png", GREY_RGB, write(GREY.astype(np.uint16) * 257)
    yield "OpenCV, TIFF, 16-bit colour", "tif", RGB, write(RGB.astype(np.uint16) * 257)
    yield "OpenCV, TIFF, float colour", "tif", RGB, write((RGB / 255).astype(np.float32))
    yield "OpenCV, TIFF, float grey", "tif", GREY_RGB, write((GREY / 255).astype(np.float32))
    yield "OpenCV, PGM, 16 bits", "pgm", GREY_RGB, write(GREY.astype(np.uint16) * 257)
    yield "OpenCV, JPEG 2000", "jp2", RGB, write(RGB)
    yield "OpenCV, JPEG 2000, 16-bit colour", "jp2", RGB, write(RGB.astype(np.uint16) * 257)
    yield "OpenCV, PPM, 16 bits", "ppm", RGB, write(RGB.astype(np.uint16) * 257)
    yield "OpenCV, WebP", "webp", RGB, write(RGB)


def _written(done: bool) -> None:
    if not done:
        raise RuntimeError("OpenCV wrote nothing")


ROWS = (pillow_rows, tifffile_rows, opencv_rows)


def foreign_files(rows: Callable[[], Iterator[Row]]) -> Callable[[], Iterator[ForeignFile]]:
    """Rows of a tool as `print_table` takes them."""

    @wraps(rows)
    def listed() -> Iterator[ForeignFile]:
        for name, suffix, right, write in rows():
            yield ForeignFile(name, f"view.{suffix}", write, partial(_compare, right))

    return listed


def _compare(right: np.ndarray, path: Path) -> tuple[bool, str]:
    off = np.abs(decode_file(path).colours.astype(float) - right)
    return bool(off.mean() <= LOSSY), f"mean difference {off.mean():.2f}, largest {off.max():.0f}"


if __name__ == "__main__":
    sys.exit(print_table([foreign_files(rows) for rows in ROWS], sys.argv[1:]))
