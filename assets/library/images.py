"""Checks that image files are whole and of a kind that Blender reads, with the standard library and numpy alone."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from assets.library.openexr import openexr_problem
from assets.library.radiance import radiance_problem

_STARTS: dict[str, tuple[bytes, ...]] = {
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".exr": (b"\x76\x2f\x31\x01",),
    ".hdr": (b"#?RADIANCE", b"#?RGBE"),
}
SUFFIXES = tuple(_STARTS)


def image_problem(path: Path, deep: bool = False) -> str:
    """The problem of an image file, "" where there is none.

    Args:
        path: PNG, JPEG, OpenEXR or Radiance HDR, told by its suffix.
        deep: read to the end: PNG by its check sums, Radiance by lines, OpenEXR by chunks, JPEG by how it ends.
    """
    suffix = path.suffix.lower()
    if suffix not in _STARTS:
        return f"{path.suffix or 'a file without suffix'} is no image that is read; use {', '.join(SUFFIXES)}"
    try:
        with path.open("rb") as file:
            start = file.read(16)
            if not start:
                return "it is empty"
            if not start.startswith(_STARTS[suffix]):
                return f"its content is not {suffix[1:].upper()}"
            if not deep:
                return ""
            file.seek(0)
            return _whole(suffix, file.read())
    except OSError as error:
        return error.strerror or type(error).__name__


def _whole(suffix: str, data: bytes) -> str:
    if suffix == ".png":
        return _png(data)
    if suffix in (".jpg", ".jpeg"):
        return "" if b"\xff\xd9" in data[-1024:] else "it ends too early"
    return radiance_problem(data) if suffix == ".hdr" else openexr_problem(data)


def _png(data: bytes) -> str:
    """Walk the chunks (PNG specification, section 5): length, type, data, CRC-32 of type and data."""
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, end = data[at + 4 : at + 8], at + 8 + length
        if end + 4 > len(data):
            break
        if zlib.crc32(data[at + 4 : end]) != struct.unpack(">I", data[end : end + 4])[0]:
            return "a check sum is wrong"
        if kind == b"IEND":
            return ""
        at = end + 4
    return "it ends too early"
