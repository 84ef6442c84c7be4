"""Images of any depth and type become 8-bit RGB by their own range."""

from __future__ import annotations

import logging
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from capture import InputError
from capture.runtime.warnings_once import warn_once
from reconstruction.colmap import pycolmap
from reconstruction.views import load_views
from scans.head_sample import HeadSample
from scans.images.decoding import decode_file, decode_image, image_size
from tests.helpers import make_capture

GREY = np.linspace(0, 255, 64 * 48).round().astype(np.uint8).reshape(48, 64)
RGB = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=-1)
GREY_RGB = np.repeat(GREY[..., None], 3, axis=2)
SHORT, INT = 3, 4


def write_tiff(
    path: Path, rows: NDArray, bits: int, *, photometric: int = 1, sample_format: int = 1, order: str = "<"
) -> None:
    """A grey TIFF of one strip, without compression; 12 bits are packed."""
    height, width = rows.shape
    data = rows.astype(rows.dtype.newbyteorder(order)).tobytes()
    if bits == 12:
        first, second = rows.astype(int).reshape(-1, 2).T
        packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=1)
        data = packed.astype(np.uint8).tobytes()
    entries = [(256, INT, width), (257, INT, height), (258, SHORT, bits), (259, SHORT, 1), (262, SHORT, photometric),
               (273, INT, 8 + 2 + 10 * 12 + 4), (277, SHORT, 1), (278, INT, height), (279, INT, len(data)),
               (339, SHORT, sample_format)]  # fmt: skip
    body = struct.pack(order + "H", len(entries))
    for tag, kind, value in entries:
        body += struct.pack(order + ("HHIHxx" if kind == SHORT else "HHII"), tag, kind, 1, value)
    path.write_bytes((b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8) + body + bytes(4) + data)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jp2"])
def test_sixteen_bits_are_divided_by_257(tmp_path: Path, name: str) -> None:
    Image.fromarray(GREY.astype(np.uint16) * 257).save(tmp_path / name)
    np.testing.assert_array_equal(decode_file(tmp_path / name).colours, GREY_RGB)
    np.testing.assert_array_equal(decode_image((tmp_path / name).read_bytes(), name), GREY_RGB)


def test_other_depths_are_divided_by_their_largest_value(tmp_path: Path) -> None:
    deep, path = GREY.astype(np.int64), tmp_path / "a.tif"
    for order in "<>":
        write_tiff(path, (deep * 257).astype(np.uint16), 16, order=order)
        np.testing.assert_array_equal(decode_file(path).colours, GREY_RGB)
    write_tiff(path, deep * 4095 // 255, 12)
    np.testing.assert_array_equal(decode_file(path).colours, GREY_RGB)
    write_tiff(path, (deep * 16843009).astype(np.uint32), 32)
    np.testing.assert_array_equal(decode_file(path).colours, GREY_RGB)
    write_tiff(path, (deep * 32767 // 255).astype(np.int16), 16, sample_format=2)
    np.testing.assert_array_equal(decode_file(path).colours, GREY_RGB)
    write_tiff(path, (deep * 257).astype(np.uint16), 16, photometric=0)  # 0 is white
    np.testing.assert_array_equal(decode_file(path).colours, 255 - GREY_RGB)
    (tmp_path / "a.pgm").write_bytes(b"P5 64 48 1023\n" + (deep * 1023 // 255).astype(">u2").tobytes())
    np.testing.assert_array_equal(decode_file(tmp_path / "a.pgm").colours, GREY_RGB)


@pytest.mark.parametrize(("told", "white"), [(4095, 4095), (3000, 65535), (1023, 65535)])
def test_the_depth_that_a_tiff_file_tells_is_its_white(tmp_path: Path, told: int, white: int) -> None:
    values = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    Image.fromarray(values).save(tmp_path / "a.tif", tiffinfo={281: told})
    expected = np.round(values / white * 255)
    assert np.abs(decode_file(tmp_path / "a.tif").colours[..., 0] - expected).max() <= 1


def test_floats_are_shares_of_white_or_bytes(tmp_path: Path) -> None:
    path, shares = tmp_path / "a.tif", (GREY / 255).astype(np.float32)
    for values, expected in [
        (shares, GREY_RGB),
        (GREY.astype(np.float32), GREY_RGB),
        (shares * np.float32(65535), GREY_RGB),
        (np.where(shares > 0.98, 12, shares), np.where(GREY_RGB > 249, 255, GREY_RGB)),  # highlights
        (np.where(shares > 0.5, np.nan, shares), np.where(GREY_RGB > 127, 0, GREY_RGB)),
        (shares - np.float32(0.2), np.maximum(GREY_RGB.astype(int) - 51, 0)),
    ]:
        Image.fromarray(values.astype(np.float32)).save(path)
        np.testing.assert_array_equal(decode_file(path).colours, expected)


def test_colmap_reads_the_same(tmp_path: Path) -> None:
    images = {
        "grey16.png": Image.fromarray(GREY.astype(np.uint16) * 257),
        "grey16.tif": Image.fromarray(GREY.astype(np.uint16) * 257),
        "float.tif": Image.fromarray((GREY / 255).astype(np.float32)),
        "bilevel.png": Image.fromarray(GREY > 99),
        "palette.png": Image.fromarray(RGB).quantize(64),
        "alpha.png": Image.fromarray(np.dstack([GREY, np.full_like(GREY, 255)])),
        "colour.tif": Image.fromarray(RGB),
    }
    for name, image in images.items():
        image.save(tmp_path / name)
        theirs = pycolmap.Bitmap.read(str(tmp_path / name), as_rgb=True).to_array()
        np.testing.assert_array_equal(decode_file(tmp_path / name).colours, theirs, err_msg=name)


def test_eight_bits_are_what_pillow_makes_of_them(tmp_path: Path) -> None:
    image = Image.fromarray(RGB)
    turned = Image.Exif()
    turned[0x0112] = 6
    files: list[tuple[str, Image.Image, dict[str, Any]]] = [
        ("a.png", image, {}),
        ("a.jpg", image, {"exif": turned}),  # what EXIF says is for viewers: cameras are calibrated on stored pixels
        ("b.jpg", image.convert("CMYK"), {}),
        ("c.tif", image.convert("CMYK"), {}),
        ("d.tif", image.convert("YCbCr"), {}),
        ("e.png", Image.fromarray(np.dstack([RGB, GREY])), {}),
        ("f.gif", image, {}),
        ("g.bmp", image, {}),
        ("h.webp", image, {}),
    ]
    for name, made, options in files:
        made.save(tmp_path / name, **options)
        with Image.open(tmp_path / name) as opened:
            np.testing.assert_array_equal(decode_file(tmp_path / name).colours, opened.convert("RGB"), err_msg=name)
    decoded = decode_file(tmp_path / "e.png")
    assert decoded.opaque is not None
    np.testing.assert_array_equal(decoded.opaque, GREY >= 128)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "grey.png", "float.tif"])
def test_very_large_images_are_shrunk_while_they_are_decoded(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each pixel is the mean of those that it covers, be the size no multiple of the factor."""
    monkeypatch.setattr("scans.images.decoding._BAND", 700)  # so that there are several bands
    y, x = np.mgrid[0:201, 0:303]
    grey = (40 + 0.3 * x + 0.5 * y).astype(np.float32)
    deep = {"grey.png": (grey * 257).astype(np.uint16), "float.tif": grey / 255}
    pixels = deep.get(name, np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2))
    Image.fromarray(pixels).save(tmp_path / name)
    for limit, width, height in [(201 * 303, 303, 201), (20_000, 152, 100), (7_000, 101, 67), (600, 28, 18)]:
        made = decode_file(tmp_path / name, max_pixels=limit)
        assert (made.width, made.height) == (303, 201)
        if name != "a.jpg":
            assert abs(made.colours.shape[1] - width) <= 3 and abs(made.colours.shape[0] - height) <= 2
        assert made.colours.shape[0] * made.colours.shape[1] <= limit * 1.05
        rows, columns, _ = made.colours.shape
        middle = 40 + 0.3 * ((np.arange(columns) + 0.5) * 303 / columns - 0.5)
        expected = middle + 0.5 * ((np.arange(rows)[:, None] + 0.5) * 201 / rows - 0.5)
        inner = np.s_[1:-1, 1:-1]
        assert np.abs(made.colours[..., 1] - expected)[inner].max() < 2.5


def test_photographs_beyond_pillows_limit_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    np.testing.assert_array_equal(decode_file(tmp_path / "a.png").colours, RGB)
    assert image_size(tmp_path / "a.png", "a") == (64, 48)
    assert Image.MAX_IMAGE_PIXELS == 100
    with pytest.raises(Image.DecompressionBombError):
        Image.open(tmp_path / "a.png")
    monkeypatch.setattr("scans.images.opening._MOST_PIXELS", 100)
    with pytest.raises(InputError, match=r"a\.png has 64 x 48 pixels, more than"):
        decode_file(tmp_path / "a.png")
    assert Image.MAX_IMAGE_PIXELS == 100


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", r"can't be read: it is HEIC; convert it to JPEG, or PNG"),
        (b"\x76\x2f\x31\x01", "it is OpenEXR"),
        (b"FUJIFILMCCD-RAW 0201", "it is a raw photograph"),
        (b"", "damaged image"),
        (b"<html>404</html>", "damaged image"),
    ],
)
def test_what_cant_be_read_is_named(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "view.jpg").write_bytes(data)
    for source in (data, tmp_path / "view.jpg"):
        with pytest.raises(InputError, match=message) as info:
            decode_file(source, "view.jpg")
        assert "view.jpg" in str(info.value) and "\n" not in str(info.value)


def test_damage_that_shows_only_when_pixels_are_read_is_named(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3)).astype(np.uint8)
    for name in ("a.png", "a.jpg", "a.tif", "a.webp"):
        Image.fromarray(noise).save(tmp_path / name)
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-900])
        with pytest.raises(InputError, match=rf"damaged image: .*{name}"):
            decode_file(tmp_path / name)
    with pytest.raises(InputError, match=r"image is missing: .*none\.png"):
        decode_file(tmp_path / "none.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(InputError, match=r"damaged image: .*folder\.png"):
        decode_file(tmp_path / "folder.png")


def test_values_that_leave_the_upper_bits_unused_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """12 bits of a camera in a file of 16: what the file says counts, and it is told."""
    warn_once.cache_clear()
    for name in ("a.png", "b.png"):
        Image.fromarray(GREY.astype(np.uint16) * 16).save(tmp_path / name)
        assert decode_file(tmp_path / name).colours.max() == 16
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "of 16 bits no value uses the upper 4" in caplog.text


def test_stereo_and_features_see_sixteen_bits_as_eight(tmp_path: Path) -> None:
    capture = make_capture(tmp_path / "a")
    for path in capture.image_paths:
        Image.fromarray(np.asarray(Image.open(path).convert("L"))).save(path)
    plain, pixels = load_views(capture), HeadSample.from_capture(capture).pixels()
    for path in capture.image_paths:
        Image.fromarray(np.asarray(Image.open(path)).astype(np.uint16) * 257).save(path)
    for view, like in zip(load_views(capture), plain, strict=True):
        np.testing.assert_array_equal(view.colours, like.colours)
    np.testing.assert_array_equal(HeadSample.from_capture(capture).pixels(), pixels)


def test_stereo_shrinks_very_large_photographs_with_their_cameras(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconstruction.views.MAX_PIXELS", 600)  # of 48 x 48
    capture = make_capture(tmp_path / "a")
    mask = np.zeros((48, 48), np.uint8)
    mask[:, 24:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    for view in load_views(capture, [tmp_path / "mask.png"] * 3, max_size=40):
        assert view.colours.shape == (24, 24, 3) and (view.camera.width, view.camera.height) == (24, 24)
        assert view.camera.focal == (84, 84) and view.inside is not None
        np.testing.assert_array_equal(view.inside[0], np.arange(24) >= 12)
    assert load_views(capture, max_size=None)[0].colours.shape == (48, 48, 3)
