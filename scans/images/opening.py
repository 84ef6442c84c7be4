"""Opening image files of people: any size, one line where it can't be done."""

from __future__ import annotations

import io
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from capture import InputError
from scans.images.tiff import decode_tiff, is_misread

_MOST_PIXELS = 1_000_000_000
_RAW_TAG, _SUBFILE_TAG, _SUB_FILES_TAG = 50706, 254, 330  # of TIFF: DNG's version, kind of image, further images
_UNREAD = (
    (4, (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypheim", b"ftypmif1", b"ftypmsf1"), "HEIC"),
    (4, (b"ftypcrx ",), "a raw photograph"),
    (0, (b"FUJIFILMCCD-RAW", b"IIRO", b"IIU\0"), "a raw photograph"),
    (0, (b"\x76\x2f\x31\x01",), "OpenEXR"),
    (0, (b"#?RADIANCE", b"#?RGBE"), "a Radiance panorama"),
    (0, (b"\xff\x0a", b"\0\0\0\x0cJXL "), "JPEG XL"),
    (0, (b"%PDF",), "PDF"),
    (0, (b"<svg", b"<?xml"), "SVG"),
)  # byte that a signature begins at, signatures, what the file is
_DAMAGE = (
    UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, OverflowError,
    struct.error, zlib.error,
)  # fmt: skip


@contextmanager
def opened_image(source: Path | bytes, where: str, what: str = "image") -> Iterator[Image.Image]:
    """An image file as Pillow opens it, within the block; its first page, where it has several.

    Args:
        source: path, or the file's bytes.
        where: name of the file in errors.
        what: kind of the file in errors.

    Raises:
        InputError: where it is missing, damaged, of a format that isn't read, or of more than a thousand megapixels;
            also where Pillow finds so only in the block.
    """
    with _unlimited:
        try:
            with _open(source) as image:
                _check(image, where, what)
                yield image
        except InputError:
            raise
        except FileNotFoundError:
            raise InputError(f"{what} is missing: {where}") from None
        except UnidentifiedImageError:
            raise _unknown(source, where, what) from None
        except _DAMAGE as error:
            raise InputError(f"damaged {what}: {where} ({error}); copy or render it again") from None


def _open(source: Path | bytes) -> Image.Image:
    try:
        image = Image.open(source if isinstance(source, Path) else io.BytesIO(source))
    except UnidentifiedImageError:
        made = _tiff(source)
        if made is None:
            raise
        return made
    if image.format == "TIFF" and is_misread(image):
        made = _tiff(source)
        if made is not None:
            image.close()
            return made
    return image


def _tiff(source: Path | bytes) -> Image.Image | None:
    made = decode_tiff(source if isinstance(source, bytes) else source.read_bytes())
    if made is not None:
        made.format = "TIFF"
    return made


def _check(image: Image.Image, where: str, what: str) -> None:
    if image.width * image.height > _MOST_PIXELS:
        size = f"{image.width} x {image.height}"
        raise InputError(f"{what} {where} has {size} pixels, more than a thousand million; shrink it")
    tags = getattr(image, "tag_v2", {})
    if _RAW_TAG in tags or (int(tags.get(_SUBFILE_TAG, 0)) & 1 and _SUB_FILES_TAG in tags):
        raise _unread("a raw photograph", where, what)


def _unknown(source: Path | bytes, where: str, what: str) -> InputError:
    """The error of what Pillow doesn't know, with the format's name where it is a known one."""
    try:
        start = source[:32] if isinstance(source, bytes) else _start(source)
    except OSError as error:
        return InputError(f"damaged {what}: {where} ({error.strerror}); copy or render it again")
    for at, signatures, name in _UNREAD:
        if start[at:].startswith(signatures):
            return _unread(name, where, what)
    if start.startswith((b"II*\0", b"MM\0*")):
        return _unread("a TIFF file of an uncommon kind", where, what)
    return InputError(f"damaged {what}: {where} (no image that is known); copy or render it again")


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(32)


def _unread(name: str, where: str, what: str) -> InputError:
    return InputError(f"{what} {where} can't be read: it is {name}; convert it to JPEG, or PNG of 8 or 16 bits")


class _Unlimited:
    """While entered, Pillow opens images of any size, and doesn't warn of odd metadata.

    Photographs are larger than what it takes for an attack.
    """

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0
        self._limit: int | None = None
        self._silence = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
                self._silence = warnings.catch_warnings()
                self._silence.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._silence.__exit__(None, None, None)
                Image.MAX_IMAGE_PIXELS = self._limit


_unlimited = _Unlimited()
