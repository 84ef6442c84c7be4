"""OpenEXR files, as far as we need them: those that Blender leaves uncompressed, and ground truth of our own.

Layout: https://openexr.com/en/latest/OpenEXRFileLayout.html. One part, whole scan lines from the top, 16 or 32-bit
channels.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

_MAGIC = b"\x76\x2f\x31\x01"
_TYPES: dict[int, np.dtype] = {0: np.dtype("<u4"), 1: np.dtype("<f2"), 2: np.dtype("<f4")}
_LINES = 16  # in a block of ZIP compression


def decode_exr(data: bytes) -> dict[str, NDArray]:
    """Channel -> (H, W) of an uncompressed file, the top row first.

    Raises `ValueError` where the data is something else or not whole.
    """
    if data[:4] != _MAGIC or len(data) < 16 or data[5] & 0x1A:
        raise ValueError("not an OpenEXR file of one part in scan lines")
    attributes, position = _header(data)
    if attributes.get("compression") != b"\0":
        raise ValueError("compressed OpenEXR")
    left, top, right, bottom = struct.unpack("<4i", attributes["dataWindow"])
    width, height = right - left + 1, bottom - top + 1
    line = np.dtype(
        [("y", "<i4"), ("size", "<i4"), *((name, kind, (width,)) for name, kind in _channels(attributes["channels"]))]
    )
    start = position + 8 * height
    if len(data) < start + line.itemsize * height:
        raise ValueError("OpenEXR file that ends too early")
    lines = np.frombuffer(data, line, height, start)
    order = np.argsort(lines["y"], kind="stable")
    return {name: lines[name][order] for name in line.names or () if name not in ("y", "size")}


def encode_exr(channels: Mapping[str, NDArray[np.float32]]) -> bytes:
    """A ZIP-compressed file of 32-bit channels (H, W), the top row first."""
    names = sorted(channels)
    planes = [np.ascontiguousarray(channels[name], "<f4") for name in names]
    height, width = planes[0].shape
    listed = b"".join(name.encode() + b"\0" + struct.pack("<iiii", 2, 0, 1, 1) for name in names) + b"\0"
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    header = b"".join(
        name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value
        for name, kind, value in (
            ("channels", "chlist", listed),
            ("compression", "compression", b"\3"),
            ("dataWindow", "box2i", window),
            ("displayWindow", "box2i", window),
            ("lineOrder", "lineOrder", b"\0"),
            ("pixelAspectRatio", "float", struct.pack("<f", 1)),
            ("screenWindowCenter", "v2f", struct.pack("<ff", 0, 0)),
            ("screenWindowWidth", "float", struct.pack("<f", 1)),
        )
    )
    start = _MAGIC + struct.pack("<i", 2) + header + b"\0"
    rows = np.concatenate(planes, axis=1)  # a scan line holds one channel after the other
    blocks = []
    for top in range(0, height, _LINES):
        packed = _zip(rows[top : top + _LINES].tobytes())
        blocks.append(struct.pack("<ii", top, len(packed)) + packed)
    offsets = len(start) + 8 * len(blocks) + np.cumsum([0, *(len(block) for block in blocks[:-1])])
    return b"".join((start, offsets.astype("<u8").tobytes(), *blocks))


def depth_channels(depth: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """The channels of a file of depths (H, W): `Z`, and the same as luminance, `Y`.

    Programs that read images, Blender among them, make noise of a file whose only channel is `Z`, and grey of one with
    a `Y`.
    """
    return {"Y": depth, "Z": depth}


def _zip(raw: bytes) -> bytes:
    """Even bytes before odd ones, differences, deflate; the raw bytes where that makes them no smaller."""
    values = np.frombuffer(raw, np.uint8)
    split = np.concatenate([values[::2], values[1::2]])
    split[1:] = split[1:] - split[:-1] + np.uint8(128)
    packed = zlib.compress(split.tobytes(), 4)
    return packed if len(packed) < len(raw) else raw


def _header(data: bytes) -> tuple[dict[str, bytes], int]:
    """The attributes by name, and where the header ends."""
    attributes, position = {}, 8
    try:
        while data[position]:
            name, position = _text(data, position)
            _, position = _text(data, position)
            (size,) = struct.unpack_from("<i", data, position)
            attributes[name] = data[position + 4 : position + 4 + size]
            position += 4 + size
    except (IndexError, ValueError, struct.error):
        raise ValueError("OpenEXR file with a damaged header") from None
    return attributes, position + 1


def _text(data: bytes, position: int) -> tuple[str, int]:
    end = data.index(b"\0", position)
    return data[position:end].decode("latin-1"), end + 1


def _channels(data: bytes) -> Iterator[tuple[str, np.dtype]]:
    position = 0
    while position < len(data) and data[position]:
        name, position = _text(data, position)
        (kind,) = struct.unpack_from("<i", data, position)
        position += 16
        yield name, _TYPES[kind]
