"""Panoramas: whether files are whole, as other programs write them, and how folders of them are imported."""

from __future__ import annotations

import importlib.util
import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from assets.library.images import image_problem
from assets.library.import_hdri import import_hdri

RNG = np.random.default_rng(0)
HEADER = b"#?RADIANCE\n# made by hand\nFORMAT=32-bit_rle_rgbe\n"


def picture(width: int, height: int) -> np.ndarray:
    """(H, W, 4) RGBE with runs and without; nothing in it looks like the start of an encoded line or a repetition."""
    pixels = RNG.integers(3, 250, (height, width, 4), dtype=np.uint8)
    pixels[..., 3] = RNG.integers(126, 131, (height, width))
    pixels[:, width // 3 : 2 * width // 3] = pixels[:, width // 3, None]
    return pixels


def runs(values: bytes) -> list[tuple[int, int]]:
    """(value, count) of equal neighbours."""
    found: list[tuple[int, int]] = []
    for value in values:
        if found and found[-1][0] == value and found[-1][1] < 127:
            found[-1] = (value, found[-1][1] + 1)
        else:
            found.append((value, 1))
    return found


def by_component(pixels: np.ndarray) -> bytes:
    data = b""
    for line in pixels:
        data += struct.pack(">BBH", 2, 2, len(line))
        for channel in line.T:
            for value, count in runs(channel.tobytes()):
                data += bytes([128 + count, value]) if count > 2 else bytes([count]) + bytes([value]) * count
    return data


def by_pixel(pixels: np.ndarray) -> bytes:
    """Repetitions of whole pixels; more than 255 of them take two entries."""
    data = b""
    for line in pixels:
        x = 0
        while x < len(line):
            same = 1
            while x + same < len(line) and (line[x + same] == line[x]).all():
                same += 1
            data += line[x].tobytes()
            if (repeats := same - 1) > 0:
                data += bytes([1, 1, 1, repeats & 255])
                data += bytes([1, 1, 1, repeats >> 8]) if repeats > 255 else b""
            x += same
    return data


def plain(pixels: np.ndarray) -> bytes:
    return pixels.tobytes()


def radiance(pixels: np.ndarray, encode=by_component, header: bytes = HEADER) -> bytes:  # type: ignore[no-untyped-def]
    height, width = pixels.shape[:2]
    return header + f"\n-Y {height} +X {width}\n".encode() + encode(pixels)


@pytest.mark.parametrize("encode", [by_component, by_pixel, plain])
@pytest.mark.parametrize("size", [(101, 37), (1200, 3), (8, 2)])
def test_a_radiance_file_is_read_to_its_end(encode, size: tuple[int, int], tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    pixels, path = picture(*size), tmp_path / "sky.hdr"
    data = radiance(pixels, encode)
    path.write_bytes(data)
    found = image_problem(path, deep=True)
    assert ("old way" in found) if encode is by_pixel else (found == "")
    for cut in (1, 2, 3, 5, len(encode(pixels)) // 3, len(encode(pixels)) // 2):
        path.write_bytes(data[:-cut])
        assert image_problem(path) == "" and "too early" in image_problem(path, deep=True), cut


def test_headers_of_any_length_and_text(tmp_path: Path) -> None:
    path = tmp_path / "sky.HDR"
    long = HEADER + b"".join(b"# line %d of the software that made it\n" % i for i in range(500))
    for header in (long, HEADER + "# 夜景\nEXPOSURE= 0.5\n".encode(), HEADER.replace(b"\n", b"\r\n"), b"#?RGBE\n"):
        path.write_bytes(radiance(picture(16, 8), header=header))
        assert image_problem(path, deep=True) == ""
    path.write_bytes(HEADER + b"\nno picture\n")
    assert image_problem(path, deep=True) == "it has no picture after its header"
    data = radiance(picture(16, 8))
    path.write_bytes(data.replace(b"\2\2\0\x10", b"\2\2\0\x11", 1))
    assert "damaged, in line 1 of 8" in image_problem(path, deep=True)


IN_BLENDER = """
import json, sys
from pathlib import Path
import bpy
import numpy as np

folder, found = Path(sys.argv[-1]), {}
for path in sorted(folder.glob("*.hdr")):
    image = bpy.data.images.load(str(path))
    values = np.array(image.pixels[:]).reshape(image.size[1], image.size[0], 4)[::-1, :, :3]
    found[path.name] = values.tolist()
(folder / "found.json").write_text(json.dumps(found))
scene = bpy.context.scene
settings, image = scene.render.image_settings, bpy.data.images.load(str(folder / "plain.hdr"))
settings.file_format = "OPEN_EXR"
for codec in ("NONE", "ZIP", "ZIPS", "PIZ", "RLE", "PXR24", "DWAA"):
    settings.exr_codec = codec
    image.save_render(str(folder / f"{codec}.exr"), scene=scene)
"""


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="the bpy wheel is not installed")
def test_blender_reads_what_is_whole_and_what_it_writes_is_whole_up_to_its_last_byte(tmp_path: Path) -> None:
    pixels = picture(101, 37)
    for encode in (by_component, plain):
        (tmp_path / f"{encode.__name__}.hdr").write_bytes(radiance(pixels, encode))
    subprocess.run([sys.executable, "-c", IN_BLENDER, str(tmp_path)], check=True, capture_output=True, timeout=200)
    light = pixels[..., :3] * np.exp2(pixels[..., 3:].astype(float) - 136)
    found = json.loads((tmp_path / "found.json").read_text())
    assert len(found) == 2
    for values in found.values():
        assert np.allclose(values, light, atol=light.max() / 200)
    for path in (written := sorted(tmp_path.glob("*.exr"))):
        assert image_problem(path, deep=True) == ""
        data = path.read_bytes()
        for cut in (1, 40, len(data) // 2):
            path.write_bytes(data[:-cut])
            assert "too early" in image_problem(path, deep=True), (path.name, cut)
    assert len(written) == 7


def test_a_folder_of_panoramas_is_imported_whatever_their_names(tmp_path: Path) -> None:
    folder, data = tmp_path / "pack", radiance(picture(16, 8))
    names = ("sky_1k.hdr", "sky_2k.hdr", "4k/sky_1k.hdr", "8k/sky_1k.hdr", "スタジオ.hdr", "夜景.hdr", "Light (1).HDR")
    for name in (*names, "._sky_1k.hdr", "__MACOSX/sky_1k.hdr"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"\0\5\26\7" if name.startswith(("._", "__")) else data)
    (folder / "8k" / "torn.hdr").write_bytes(data[:-9])
    done = import_hdri(folder, tmp_path / "library", "CC0-1.0")
    assert {asset.id for asset in done.assets} == {
        "pack/sky_1k",
        "pack/sky_2k",
        "pack/4k/sky_1k",
        "pack/8k/sky_1k",
        "pack/スタジオ",
        "pack/夜景",
        "pack/Light_1_",
    }
    assert [name for name, _ in done.left_out] == ["8k/torn.hdr"]
    assert len({asset.path("image") for asset in done.assets}) == 7
    assert [asset.path("image").read_bytes() == data for asset in done.assets] == [True] * 7
