"""PNG files of nothing but their pixels: the same pixels give the same bytes."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}  # channels -> number in the header


def encode_png(pixels: NDArray[np.uint8], level: int = 4) -> bytes:
    """An 8-bit PNG of (H, W) grey, (H, W, 3) sRGB or (H, W, 4) values with straight alpha (PNG, third edition)."""
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    rows = pixels.reshape(height, -1)
    kind, filtered = (4, _paeth(rows, channels)) if channels > 1 else (0, rows)
    lines = np.concatenate([np.full((height, 1), kind, np.uint8), filtered], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), level)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _paeth(rows: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Every byte less its best neighbour: left, above, or both (section 9.4)."""
    here = rows.astype(np.int16)
    left, above, corner = np.zeros_like(here), np.zeros_like(here), np.zeros_like(here)
    left[:, step:], above[1:], corner[1:, step:] = here[:, :-step], here[:-1], here[:-1, :-step]
    to_left, to_above = np.abs(above - corner), np.abs(left - corner)
    to_corner = np.abs(left + above - 2 * corner)
    guess = np.where(
        (to_left <= to_above) & (to_left <= to_corner), left, np.where(to_above <= to_corner, above, corner)
    )
    return np.asarray((here - guess).astype(np.uint8))
