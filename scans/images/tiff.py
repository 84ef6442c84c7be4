"""TIFF files that Pillow doesn't know: several channels of floats or of 32 bits, planes apart, half precision.

Pillow decompresses them all the same, as rows of bytes: a second directory that calls them so is put behind the file.
Other files, of planes or of big-endian floats, it opens and gets wrong (13.0): `is_misread` knows them.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from capture.colour_range import to_bytes, white_level

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _PLANAR, _PREDICTOR = (
    256,
    257,
    258,
    259,
    262,
    277,
    284,
    317,
)
_STRIPS, _STRIP_ROWS, _STRIP_SIZES, _TILE_WIDTH, _TILE_ROWS, _TILES, _TILE_SIZES = 273, 278, 279, 322, 323, 324, 325
_EXTRA, _SAMPLE_FORMAT = 338, 339
_BYTEWISE = (1, 5, 8, 32773, 32946, 34925, 50000)  # compressions that don't look at what they compress
_KINDS = {1: "u", 2: "i", 3: "f"}
_HORIZONTAL, _FLOATING = 2, 3  # predictors


def decode_tiff(data: bytes) -> Image.Image | None:
    """The first page of a grey or RGB TIFF file as 8 bits, with its alpha channel; None where it can't be decoded."""
    if not data.startswith((b"II*\0", b"MM\0*")):
        return None
    file = io.BytesIO(data)
    tags = ImageFileDirectory_v2(file.read(8))
    file.seek(tags.next)
    tags.load(file)
    layout = _layout(tags)
    if layout is None:
        return None
    samples = np.concatenate([layout.decode(data, plane) for plane in range(layout.planes)], axis=2)
    return _to_image(samples, tags)


def is_misread(image: Image.Image) -> bool:
    """Whether Pillow gets other pixels than a TIFF file holds: it swaps bytes twice, or takes planes for pixels."""
    tags: ImageFileDirectory_v2 = image.tag_v2  # type: ignore[attr-defined]
    apart, deep = _all(tags, _PLANAR, 1)[0] == 2, max(_all(tags, _BITS, 1)) > 8
    swapped = tags.prefix == b"MM" and _all(tags, _COMPRESSION, 1)[0] != 1
    return (deep and (swapped or apart)) or (apart and _all(tags, _SAMPLES, 1)[0] == 2)


def _to_image(samples: NDArray, tags: ImageFileDirectory_v2) -> Image.Image:
    colours = samples[..., : 3 if samples.shape[2] >= 3 else 1]
    rest = samples.shape[2] - colours.shape[2]
    kind = samples.dtype.kind
    white = white_level(colours) if kind == "f" else float(np.iinfo(samples.dtype).max)
    if int(tags.get(_PHOTOMETRIC, 1)) == 0:
        colours = white - colours
    pixels = np.broadcast_to(to_bytes(colours, white), (*samples.shape[:2], 3))
    if rest and any(int(each) in (1, 2) for each in tags.get(_EXTRA, ())[:1]):
        alpha = to_bytes(samples[..., colours.shape[2]], 1.0 if kind == "f" else white)
        pixels = np.concatenate([pixels, alpha[..., None]], axis=2)
    return Image.fromarray(np.ascontiguousarray(pixels))


@dataclass(frozen=True)
class _Layout:
    """Rows of samples in strips or tiles.

    Attributes:
        dtype: of a sample, with the file's byte order.
        channels: of a plane.
        block_width, block_rows: pixels of a strip or a tile.
        predictor: as the tag has it.
        offsets, sizes: of all planes' blocks, bytes.
    """

    width: int
    height: int
    dtype: np.dtype
    channels: int
    planes: int
    block_width: int
    block_rows: int
    tiled: bool
    compression: int
    predictor: int
    offsets: Sequence[int]
    sizes: Sequence[int]

    def decode(self, data: bytes, plane: int) -> NDArray:
        """(H, W, channels) samples of a plane."""
        across, down = -(-self.width // self.block_width), -(-self.height // self.block_rows)
        blocks = slice(plane * across * down, (plane + 1) * across * down)
        pixel = self.channels * self.dtype.itemsize
        row = self.block_width * pixel
        height = down * self.block_rows if self.tiled else self.height
        tags: list[tuple[int, Sequence[int]]]
        tags = [(_WIDTH, [across * row]), (_HEIGHT, [height]), (_BITS, [8]), (_COMPRESSION, [self.compression])]
        tags += [(_PHOTOMETRIC, [1]), (_SAMPLES, [1])]
        if self.tiled:
            tags += [(_TILE_WIDTH, [row]), (_TILE_ROWS, [self.block_rows])]
            tags += [(_TILES, self.offsets[blocks]), (_TILE_SIZES, self.sizes[blocks])]
        else:
            tags += [(_STRIPS, self.offsets[blocks]), (_STRIP_ROWS, [self.block_rows])]
            tags += [(_STRIP_SIZES, self.sizes[blocks])]
        with Image.open(io.BytesIO(_with_directory(data, tags))) as image:
            rows = np.asarray(image).reshape(height, across, row)
        samples = self._unpredicted(rows).reshape(height, across * self.block_width, self.channels)
        return samples[: self.height, : self.width]

    def _unpredicted(self, rows: NDArray[np.uint8]) -> NDArray:
        """Samples (H, across, block width * channels) of rows of bytes, differences added up."""
        if self.predictor == _FLOATING:
            size = self.dtype.itemsize
            steps = rows.reshape(*rows.shape[:2], -1, self.channels)
            planes = np.cumsum(steps, axis=2, dtype=np.uint8).reshape(*rows.shape[:2], size, -1)
            joined = np.ascontiguousarray(np.moveaxis(planes, 2, 3))
            return joined.view(self.dtype.newbyteorder(">"))[..., 0].astype(self.dtype.newbyteorder("="))
        samples = np.ascontiguousarray(rows).view(self.dtype).astype(self.dtype.newbyteorder("="))
        if self.predictor == _HORIZONTAL:
            steps = samples.view(f"u{self.dtype.itemsize}").reshape(*rows.shape[:2], -1, self.channels)
            summed = np.cumsum(steps, axis=2, dtype=steps.dtype)
            samples = summed.reshape(samples.shape).view(samples.dtype)
        return samples


def _layout(tags: ImageFileDirectory_v2) -> _Layout | None:
    """None for what isn't grey or RGB, or is compressed as pixels."""
    bits, formats = set(_all(tags, _BITS, 1)), set(_all(tags, _SAMPLE_FORMAT, 1))
    compression, photometric = _all(tags, _COMPRESSION, 1)[0], _all(tags, _PHOTOMETRIC, 1)[0]
    samples = _all(tags, _SAMPLES, 1)[0]
    known = len(bits) == 1 == len(formats) and formats <= set(_KINDS) and bits <= {8, 16, 32, 64}
    if not known or compression not in _BYTEWISE or photometric != (2 if samples >= 3 else photometric & 1):
        return None
    order = "<" if tags.prefix == b"II" else ">"
    kind = f"{_KINDS[formats.pop()]}{bits.pop() // 8}"
    if kind == "f1":
        return None
    apart = _all(tags, _PLANAR, 1)[0] == 2
    tiled = _TILES in tags
    width, height = _all(tags, _WIDTH, 0)[0], _all(tags, _HEIGHT, 0)[0]
    return _Layout(
        width,
        height,
        np.dtype(order + kind),
        1 if apart else samples,
        samples if apart else 1,
        _all(tags, _TILE_WIDTH, width)[0] if tiled else width,
        _all(tags, _TILE_ROWS, height)[0] if tiled else min(height, _all(tags, _STRIP_ROWS, height)[0]),
        tiled,
        compression,
        _all(tags, _PREDICTOR, 1)[0],
        _all(tags, _TILES if tiled else _STRIPS, 0),
        _all(tags, _TILE_SIZES if tiled else _STRIP_SIZES, 0),
    )


def _all(tags: ImageFileDirectory_v2, number: int, default: int) -> list[int]:
    value = tags.get(number, default)
    return [int(each) for each in value] if isinstance(value, tuple) else [int(value)]


def _with_directory(data: bytes, tags: Sequence[tuple[int, Sequence[int]]]) -> bytes:
    """The file with a directory of LONG values behind it, which its header names."""
    order = "<" if data.startswith(b"II") else ">"
    start = len(data) + len(data) % 2
    values, entries = b"", b""
    behind = start + 2 + 12 * len(tags) + 4
    for number, numbers in sorted(tags):
        packed = struct.pack(f"{order}{len(numbers)}I", *numbers)
        if len(numbers) > 1:
            place = struct.pack(order + "I", behind + len(values))
            values += packed
        else:
            place = packed
        entries += struct.pack(order + "HHI", number, 4, len(numbers)) + place
    header = data[:4] + struct.pack(order + "I", start)
    directory = struct.pack(order + "H", len(tags)) + entries + bytes(4) + values
    return header + data[8:].ljust(start - 8, b"\0") + directory
