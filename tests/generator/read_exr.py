"""A small reader of ZIP-compressed OpenEXR files, written from the format's description alone."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np


def read_exr(path: Path) -> dict[str, np.ndarray]:
    """Channel -> (H, W) float32."""
    data = path.read_bytes()
    magic, version, position = *struct.unpack("<iB", data[:5]), 8
    assert (magic, version) == (20000630, 2)
    attributes = {}
    while data[position] != 0:
        name, kind, rest = data[position:].split(b"\0", 2)
        start = position + len(name) + len(kind) + 6
        size = int.from_bytes(rest[:4], "little")
        attributes[name.decode()], position = data[start : start + size], start + size
    assert attributes["compression"] == b"\x03" and attributes["lineOrder"] == b"\0"
    listed, names = attributes["channels"], []
    while listed[0] != 0:
        name, _, rest = listed.partition(b"\0")
        assert rest[:4] == b"\x02\0\0\0"  # 32-bit float
        names.append(name.decode())
        listed = rest[16:]
    x0, y0, x1, y1 = struct.unpack("<4i", attributes["dataWindow"])
    width, height = x1 - x0 + 1, y1 - y0 + 1
    image = np.empty((height, len(names), width), np.float32)
    for block in range((height + 15) // 16):
        (offset,) = struct.unpack_from("<Q", data, position + 1 + 8 * block)
        line, size = struct.unpack_from("<ii", data, offset)
        body, lines = data[offset + 8 : offset + 8 + size], min(16, height - line)
        if size < lines * width * len(names) * 4:
            packed = bytearray(zlib.decompress(body))
            for i in range(1, len(packed)):
                packed[i] = (packed[i] + packed[i - 1] - 128) % 256
            half = (len(packed) + 1) // 2
            woven = bytearray(len(packed))
            woven[::2], woven[1::2] = packed[:half], packed[half:]
            body = bytes(woven)
        image[line : line + lines] = np.frombuffer(body, "<f4").reshape(lines, len(names), width)
    return {name: image[:, index] for index, name in enumerate(names)}
