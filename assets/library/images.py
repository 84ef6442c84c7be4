"""Checks that image files are whole and of a kind that Blender reads, with the standard library alone."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

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
        deep: read to the end: PNG by its check sums, JPEG and OpenEXR by what they must end with.
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
    if suffix == ".hdr":
        return "" if b"\n\n" in data[:4096] and b"\n-Y " in data[:4096] else "it has no picture after its header"
    return _exr(data)


_LINES = {0: 1, 1: 1, 2: 1, 3: 16, 4: 32, 5: 16, 6: 32, 7: 32, 8: 32, 9: 256}
"""Compression of OpenEXR -> lines in a chunk."""


def _exr(data: bytes) -> str:
    """Find the end of the last chunk (OpenEXR file layout); of tiles and several parts only the header is read."""
    try:
        at, attributes = 8, dict[str, bytes]()
        while data[at] != 0:
            name, kind, rest = data[at : at + 512].split(b"\0", 2)
            start = at + len(name) + len(kind) + 6
            (size,) = struct.unpack("<i", rest[:4])
            attributes[name.decode("latin-1")] = data[start : start + size]
            at = start + size
        if data[5] & 0x1A:  # tiled, deep or of several parts
            return ""
        _, first, _, last = struct.unpack("<4i", attributes["dataWindow"])
        chunks = -((first - last - 1) // _LINES[attributes["compression"][0]])
        offsets = struct.unpack(f"<{chunks}Q", data[at + 1 : at + 1 + 8 * chunks])
        (length,) = struct.unpack("<i", data[max(offsets) + 4 : max(offsets) + 8])
        return "" if max(offsets) + 8 + length <= len(data) else "it ends too early"
    except (struct.error, KeyError, IndexError, ValueError):
        return "it ends too early, or its header is damaged"


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
