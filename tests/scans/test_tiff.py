"""TIFF files that Pillow doesn't know, or gets wrong; OpenImageIO (in pycolmap) says what is in them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from capture import InputError
from reconstruction.colmap import pycolmap
from scans.images.decoding import decode_file, image_size

BYTES = np.random.default_rng(0).integers(0, 256, (41, 52, 4)).astype(np.uint8)
SHORT, INT = 3, 4
KINDS = {"u2": (np.uint16, 65535, 1), "u4": (np.uint32, 4294967295, 1), "i2": (np.int16, 32767, 2),
         "f2": (np.float16, 1, 3), "f4": (np.float32, 1, 3), "f8": (np.float64, 1, 3)}  # fmt: skip


def differences(rows: NDArray, predictor: int, order: str) -> bytes:
    """A block (H, W, C) as a writer packs it."""
    if predictor == 3:  # the bytes of the samples apart, from the most significant on, then their differences
        height, width, channels = rows.shape
        size = rows.dtype.itemsize
        apart = rows.astype(rows.dtype.newbyteorder(">")).view(np.uint8).reshape(height, width * channels, size)
        row = np.moveaxis(apart, 2, 1).reshape(height, -1, channels)
        return np.diff(row, axis=1, prepend=np.zeros((height, 1, channels), np.uint8)).astype(np.uint8).tobytes()
    if predictor == 2:
        steps = rows.view(f"u{rows.dtype.itemsize}").copy()
        steps[:, 1:] -= rows.view(f"u{rows.dtype.itemsize}")[:, :-1]
        rows = steps
    return rows.astype(rows.dtype.newbyteorder("<" if order == "<" else ">")).tobytes()


def write_tiff(path: Path, samples: NDArray, kind: str, *, order: str = "<", predictor: int = 0, apart: bool = False,
               tile: int | None = None, compressed: bool = True, alpha: bool = False) -> None:  # fmt: skip
    """Samples (H, W, C) in strips of 16 rows, or in square tiles. `predictor` 0 is none."""
    height, width, channels = samples.shape
    dtype, _, sample_format = KINDS[kind]
    block_rows, block_width = (tile, tile) if tile else (16, width)
    blocks = []
    for plane in np.split(samples, channels, axis=2) if apart else [samples]:
        for top in range(0, height, block_rows):
            for left in range(0, width, block_width):
                part = plane[top : top + block_rows, left : left + block_width]
                if tile:
                    part = np.pad(part, ((0, tile - part.shape[0]), (0, tile - part.shape[1]), (0, 0)))
                packed = differences(np.ascontiguousarray(part), predictor, order)
                blocks.append(zlib.compress(packed) if compressed else packed)
    offsets = [8 + sum(map(len, blocks[:i])) for i in range(len(blocks))]
    bits = np.dtype(dtype).itemsize * 8
    tags = [(256, INT, [width]), (257, INT, [height]), (258, SHORT, [bits] * channels),
            (259, SHORT, [8 if compressed else 1]), (262, SHORT, [2 if channels >= 3 else 1]),
            (277, SHORT, [channels]), (284, SHORT, [1 + apart]), (339, SHORT, [sample_format] * channels)]  # fmt: skip
    tags += [(317, SHORT, [predictor])] if predictor else []
    tags += [(338, SHORT, [2])] if alpha else []
    if tile:
        tags += [(322, INT, [tile]), (323, INT, [tile]), (324, INT, offsets), (325, INT, list(map(len, blocks)))]
    else:
        tags += [(273, INT, offsets), (278, INT, [16]), (279, INT, list(map(len, blocks)))]
    body = b"".join(blocks)
    start = 8 + len(body)
    entries, behind = b"", b""
    for tag, size, values in sorted(tags):
        packed = struct.pack(order + str(len(values)) + ("H" if size == SHORT else "I"), *values)
        if len(packed) > 4:
            place = struct.pack(order + "I", start + 2 + 12 * len(tags) + 4 + len(behind))
            behind += packed
        else:
            place = packed.ljust(4, b"\0")
        entries += struct.pack(order + "HHI", tag, size, len(values)) + place
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", start)
    path.write_bytes(header + body + struct.pack(order + "H", len(tags)) + entries + bytes(4) + behind)


LAYOUTS = [(False, False, None), (True, False, 16), (False, True, None), (True, True, None), (True, False, None)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("predicted", "apart", "tile"), LAYOUTS)
def test_deep_colours_in_strips_tiles_and_planes(
    tmp_path: Path, kind: str, order: str, predicted: bool, apart: bool, tile: int | None
) -> None:
    predictor = (3 if kind[0] == "f" else 2) if predicted else 0
    dtype, white, _ = KINDS[kind]
    samples = (BYTES.astype(float) / 255 * white).astype(dtype)
    path = tmp_path / "a.tif"
    for channels in (1, 3):
        write_tiff(path, samples[..., :channels], kind, order=order, predictor=predictor, apart=apart, tile=tile)
        found = decode_file(path)
        expected = np.broadcast_to(BYTES[..., :channels], found.colours.shape)
        assert np.abs(found.colours.astype(int) - expected).max() <= 1 and found.opaque is None
        if kind != "f8":
            theirs = pycolmap.Bitmap.read(str(path), as_rgb=True)
            assert theirs is not None
            assert np.abs(theirs.to_array().astype(int) - expected).max() <= (128 if kind == "i2" else 1)


def test_alpha_beside_floats_masks(tmp_path: Path) -> None:
    for channels in (2, 4):
        write_tiff(tmp_path / "a.tif", (BYTES[..., :channels] / 255).astype(np.float32), "f4", alpha=True)
        decoded = decode_file(tmp_path / "a.tif")
        assert decoded.opaque is not None
        np.testing.assert_array_equal(decoded.opaque, BYTES[..., channels - 1] >= 128)
        np.testing.assert_array_equal(decoded.colours[..., 0], BYTES[..., 0])
        assert image_size(tmp_path / "a.tif", "a") == (52, 41)


def test_floats_brighter_than_white_are_clipped(tmp_path: Path) -> None:
    bright = np.where(BYTES[..., :3] > 250, 1.02, BYTES[..., :3] / 255).astype(np.float32)
    write_tiff(tmp_path / "a.tif", bright, "f4")
    expected = np.where(BYTES[..., :3] > 250, 255, BYTES[..., :3])
    np.testing.assert_array_equal(decode_file(tmp_path / "a.tif").colours, expected)


def test_previews_of_raw_photographs_are_not_taken_for_them(tmp_path: Path) -> None:
    Image.fromarray(BYTES[..., :3]).save(tmp_path / "a.dng.tif", tiffinfo={50706: b"\1\4\0\0"})
    with pytest.raises(InputError, match=r"a\.dng\.tif can't be read: it is a raw photograph"):
        decode_file(tmp_path / "a.dng.tif")


def test_uncommon_files_that_are_cut_off_are_one_line(tmp_path: Path) -> None:
    write_tiff(tmp_path / "a.tif", (BYTES[..., :3] / 255).astype(np.float32), "f4")
    data = (tmp_path / "a.tif").read_bytes()
    for part in (data[:8], data[: len(data) // 2], data[:-30], data[:8] + bytes(500) + data[508:]):
        with pytest.raises(InputError, match=r"damaged image: a\.tif|a\.tif can't be read"):
            decode_file(part, "a.tif")
