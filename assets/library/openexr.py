"""OpenEXR files: whether one is whole.

Layout: openexr.com, "OpenEXR File Layout": for each part a header of attributes; for each part a table of where its
chunks lie; the chunks, of scan lines or tiles.
"""

from __future__ import annotations

import struct
import zlib

_LINES = {0: 1, 1: 1, 2: 1, 3: 16, 4: 32, 5: 16, 6: 32, 7: 32, 8: 32, 9: 256}
"""Compression -> lines in a chunk."""
_ZIP = (2, 3)
_TILED, _DEEP, _PARTS = 0x02, 0x08, 0x10  # flags of the version


def openexr_problem(data: bytes) -> str:
    """The problem of a file's bytes, "" where it is whole."""
    try:
        flags = data[5]
        parts, at = _headers(data, bool(flags & _PARTS))
        for attributes in parts:
            deep, tiled = _kind(attributes, flags)
            count = _chunk_count(attributes, tiled)
            offsets = struct.unpack(f"<{count}Q", data[at : at + 8 * count])
            at += 8 * count
            for offset in offsets:
                if not _whole_chunk(data, offset + 4 * bool(flags & _PARTS), tiled, deep, attributes["compression"][0]):
                    return "it ends too early, or a part of its picture is damaged"
    except (struct.error, KeyError, IndexError, ValueError):
        return "it ends too early, or its header is damaged"
    return "" if parts else "it holds no picture"


def _headers(data: bytes, several: bool) -> tuple[list[dict[str, bytes]], int]:
    """The attributes of each part, and where the tables of chunks begin."""
    parts, at = [], 8
    while not several or data[at] != 0:
        attributes: dict[str, bytes] = {}
        while data[at] != 0:
            name_end = data.index(b"\0", at)
            kind_end = data.index(b"\0", name_end + 1)
            (size,) = struct.unpack_from("<i", data, kind_end + 1)
            start = kind_end + 5
            if size < 0 or start + size > len(data):
                raise ValueError
            attributes[data[at:name_end].decode("latin-1")] = data[start : start + size]
            at = start + size
        parts.append(attributes)
        at += 1
        if not several:
            return parts, at
    return parts, at + 1


def _kind(attributes: dict[str, bytes], flags: int) -> tuple[bool, bool]:
    """Whether a part is deep, and whether it is of tiles."""
    kind = attributes.get("type", b"")
    if not kind:
        return bool(flags & _DEEP), bool(flags & _TILED)
    return kind.startswith(b"deep"), kind.rstrip(b"\0").endswith(b"tile")


def _chunk_count(attributes: dict[str, bytes], tiled: bool) -> int:
    if "chunkCount" in attributes:
        return int(struct.unpack("<i", attributes["chunkCount"])[0])
    left, top, right, bottom = struct.unpack("<4i", attributes["dataWindow"])
    width, height = right - left + 1, bottom - top + 1
    if width < 1 or height < 1:
        raise ValueError
    if not tiled:
        return -(-height // _LINES[attributes["compression"][0]])
    across, down, mode = struct.unpack("<IIB", attributes["tiles"])
    up, levels = bool(mode >> 4), mode & 15

    def sides(size: int) -> list[int]:
        longest = max(width, height) if levels == 1 else size
        count = (longest - 1).bit_length() if up else longest.bit_length() - 1
        return [max(-(-size // 2**level) if up else size // 2**level, 1) for level in range(count + 1)]

    if levels == 0:
        return -(-width // across) * -(-height // down)
    wide, high = ([-(-side // tile) for side in sides(size)] for size, tile in ((width, across), (height, down)))
    return sum(map(int.__mul__, wide, high)) if levels == 1 else sum(wide) * sum(high)


def _whole_chunk(data: bytes, at: int, tiled: bool, deep: bool, compression: int) -> bool:
    at += 16 if tiled else 4  # of what it is
    if deep:
        table, packed, _ = struct.unpack_from("<3Q", data, at)
        return at + 24 + table + packed <= len(data) and at > 28
    (size,) = struct.unpack_from("<i", data, at)
    content = data[at + 4 : at + 4 + size]
    if size < 0 or len(content) < size or at < 20:  # a table that was never written is all zeros
        return False
    if compression in _ZIP and content[:1] == b"\x78":  # what packing doesn't make smaller is there as it is
        try:
            zlib.decompress(content)
        except zlib.error:
            return False
    return True
