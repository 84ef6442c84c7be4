"""Radiance HDR files (RGBE): whether one is whole.

Source: Ward, "Radiance File Formats", radsite.lbl.gov/radiance/refer/filefmts.pdf: lines of header up to an empty one,
a line with the resolution, then scan lines, each of plain pixels, of repeated pixels, or run-length encoded by
component.
"""

from __future__ import annotations

import re

import numpy as np

_RESOLUTION = re.compile(rb"([+-])([XY]) +(\d+) +([+-])([XY]) +(\d+) *")
_ENCODED = range(8, 0x8000)  # widths of scan lines that may be encoded by component


_OLD = "it repeats pixels in the old way, which Blender from 4 on doesn't read; save it again by another program"


def radiance_problem(data: bytes) -> str:
    """The problem of a file's bytes, "" where it is whole."""
    size, at = _header(data)
    if size is None:
        return "it has no picture after its header"
    width, height = size
    repeats = False
    for line in range(height):
        after = _scan_line(data, at, width)
        if after is None:
            return f"it ends too early, or is damaged, in line {line + 1} of {height}"
        at, repeated = after
        repeats = repeats or repeated
    return _OLD if repeats else ""


def _header(data: bytes) -> tuple[tuple[int, int] | None, int]:
    """(width and height of the scan lines, where they begin); None where there is no such header."""
    at = 0
    while (end := data.find(b"\n", at)) >= 0:
        line = data[at:end].rstrip(b"\r")
        at = end + 1
        if not line:
            break
    end = data.find(b"\n", at, at + 200)
    found = _RESOLUTION.fullmatch(data[at:end].rstrip(b"\r")) if end >= 0 else None
    if found is None or found[2] == found[5] or not (int(found[3]) and int(found[6])):
        return None, at
    return (int(found[6]), int(found[3])), end + 1


def _scan_line(data: bytes, at: int, width: int) -> tuple[int, bool] | None:
    """The place where the next line begins, and whether this one repeats pixels; None where it isn't whole."""
    start = data[at : at + 4]
    if len(start) < 4:
        return None
    if width in _ENCODED and start[0] == start[1] == 2 and start[2] < 128:
        after = _by_component(data, at + 4, width) if start[2] << 8 | start[3] == width else None
        return None if after is None else (after, False)
    return _by_pixel(data, at, width)


def _by_component(data: bytes, at: int, width: int) -> int | None:
    """Four times `width` bytes, in runs of one value (128 + length) and stretches of different ones (length)."""
    for _ in range(4):
        left = width
        while left > 0:
            if at + 1 >= len(data):
                return None
            count = data[at]
            if count > 128:
                left, at = left - (count - 128), at + 2
            else:
                left, at = left - count, at + 1 + count
            if count == 0 or left < 0:
                return None
    return at if at <= len(data) else None


def _by_pixel(data: bytes, at: int, width: int) -> tuple[int, bool] | None:
    """Pixels of four bytes; 1, 1, 1, n repeats the one before n times, n * 256 where another such pixel precedes."""
    left, repeated = width, False
    while left > 0:
        pixels = np.frombuffer(data, np.uint8, min(left, (len(data) - at) // 4) * 4, at).reshape(-1, 4)
        if not len(pixels):
            return None
        repeats = (pixels[:, :3] == 1).all(axis=1)
        if not repeats.any():
            left, at = left - len(pixels), at + 4 * len(pixels)
            continue
        repeated = True
        index = np.arange(len(pixels))
        last = np.maximum.accumulate(np.where(repeats, -1, index))  # the last pixel that is none
        place = np.minimum(index - last - 1, 3)
        counts = np.where(repeats, pixels[:, 3].astype(np.int64) << (8 * place), 1)
        reached = np.searchsorted(np.cumsum(counts), left)
        if reached >= len(pixels):
            used = len(pixels)
            while used and repeats[used - 1]:  # a group of repetitions stays together
                used -= 1
            if used == 0 or at + 4 * len(pixels) + 4 > len(data):
                return None
            left, at = left - int(counts[:used].sum()), at + 4 * used
        else:
            left, at = left - int(np.cumsum(counts)[reached]), at + 4 * (int(reached) + 1)
    return (at, repeated) if left == 0 else None
