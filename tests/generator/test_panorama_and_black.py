"""The panorama and the black background that a user asks for, and images of 16 bits."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assets.library import open_library
from assets.makehuman.model import load_default_model
from capture import InputError
from generator.cameras.photo import take_photo
from generator.components.environment import HDRIS, EnvironmentSpec
from generator.components.photo import PhotoSpec
from generator.components.sensor import SensorSpec
from generator.records import from_json, to_json
from generator.sampling import sample_spec
from generator.spec import HeadSpec
from tests.assets.packs import write_asset
from tests.generator.blenders import WHEELS, Start, needs_bpy
from tests.generator.toy_model import override
from tests.helpers import REPO


def light(folder: Path | None = None, seed: int = 0, **environment: Any) -> Any:
    model, chosen = load_default_model(), open_library([folder] if folder else [])
    return sample_spec(seed, model, override(environment=environment), chosen).environment


def test_the_id_of_an_asset_stands_for_a_panorama(tmp_path: Path) -> None:
    write_asset(tmp_path, "mine/sky", "hdri")
    write_asset(tmp_path, "mine/空", "hdri")
    for seed in range(4):
        assert light(tmp_path, seed, hdri="mine/sky").hdri == "mine/sky"
        assert light(tmp_path, seed, hdri="city").hdri == "city"  # no asset takes its place
        assert light(tmp_path, seed, hdri="city", library=True).hdri in ("mine/sky", "mine/空")
    drawn = {light(tmp_path, seed, hdri=["mine/sky", "mine/空", "city"]).hdri for seed in range(12)}
    assert drawn == {"mine/sky", "mine/空", "city"}
    assert {light(tmp_path, seed).hdri in HDRIS for seed in range(12)} == {True, False}
    with pytest.raises(InputError, match="no library has the hdri asset 'mine/gone'"):
        light(tmp_path, hdri="mine/gone")
    with pytest.raises(InputError, match="'citty' does not fit"):
        light(tmp_path, hdri="citty")


def test_black_is_black_where_it_is_asked_for_and_nothing_else_changes() -> None:
    for seed in range(5):
        asked = light(seed=seed, background="black")
        assert asked.backdrop == (0.0, 0.0, 0.0) and asked.black
        assert light(seed=seed, background="black", black=0.01).backdrop == (0.01, 0.01, 0.01)
    drawn = [spec.backdrop for seed in range(60) if (spec := light(seed=seed)).backdrop is not None]
    assert all(max(colour) > 0 for colour in drawn) and min(map(max, drawn)) < 0.02


def test_a_transparent_background_is_asked_for_never_drawn_and_stands_in_the_record() -> None:
    assert not any(light(seed=seed).transparent for seed in range(60))
    asked = light(seed=3, background="transparent")
    assert asked.transparent and asked.black
    assert from_json(EnvironmentSpec, to_json(asked), "light") == asked
    usual = to_json(light(seed=3))
    assert "transparent" not in usual and from_json(EnvironmentSpec, usual, "light") == light(seed=3)


def test_the_sensor_leaves_black_as_it_is() -> None:
    linear = np.zeros((20, 30, 3), np.float32)
    linear[5:10] = 0.2
    sensor = SensorSpec(white_electrons=7500.0, read_electrons=8.0)
    usual, black = (take_photo(linear, sensor, PhotoSpec(), 0, each) for each in (False, True))
    assert usual[:5].max() > 0 and black[:5].max() == 0 and black[10:].max() == 0
    assert np.array_equal(usual[5:10], black[5:10])


@pytest.mark.slow
@pytest.mark.parametrize("start", WHEELS)
def test_a_black_background_is_0_in_the_image(start: Start, tmp_path: Path) -> None:
    wanted = {
        "environment": {"lighting": "dome", "background": "black"},
        "rig": {"views": [[0, 0], [30, 0]]},
        "hair": {"family": "none"},
    }
    (tmp_path / "o.json").write_text(json.dumps(wanted))
    (tmp_path / "tmp").mkdir()
    words = ("--resolution", "48", "--samples", "2", "--distributions", str(tmp_path / "o.json"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(tmp_path / "tmp"))
        done = start("--seed", "1", "--out", str(tmp_path / "head"), *words)
    assert done.returncode == 0, done.stderr[-2000:]
    image, mask = (np.asarray(Image.open(tmp_path / "head" / name / "view_00.png")) for name in ("images", "masks"))
    seen = np.pad(mask > 0, 4)
    near = np.lib.stride_tricks.sliding_window_view(seen, (9, 9)).any(axis=(2, 3))
    assert image[~near].size > 500 and image[~near].max() == 0
    assert image[mask > 0].mean() > 30
    assert list((tmp_path / "tmp").iterdir()) == []  # Blender's folder for temporary files is gone


def png16(path: Path, colour: tuple[int, int, int]) -> None:
    """8 x 8 pixels of one colour of 8 bits, written with 16."""
    row = b"\0" + struct.pack(">3H", *(257 * value for value in colour)) * 8
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(row * 8)),
        (b"IEND", b""),
    )
    data = b"\x89PNG\r\n\x1a\n"
    for kind, content in chunks:
        data += struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    path.write_bytes(data)


TONES = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from dataclasses import replace
import numpy as np
from assets.makehuman.model import load_default_model
from generator.blender.materials.proxy import encoded_pixels, load_image
from generator.blender.materials.texture_images import toned
from generator.head import build_head
from generator.spec import HeadSpec

spec = HeadSpec.from_json(json.loads(Path(sys.argv[2], "spec.json").read_text()))
head = build_head(load_default_model(), spec.shape)
print("RESULT", json.dumps({name: [toned(spec.skin, Path(sys.argv[2], name), head).melanin,
    encoded_pixels(load_image(Path(sys.argv[2], name))).mean(axis=(0, 1)).tolist()] for name in ("8.png", "16.png")}))
"""


@needs_bpy
@pytest.mark.slow
def test_a_skin_has_the_same_tone_at_8_and_at_16_bits(tmp_path: Path) -> None:
    colour = (176, 128, 104)
    Image.new("RGB", (8, 8), colour).save(tmp_path / "8.png")
    png16(tmp_path / "16.png", colour)
    spec: HeadSpec = sample_spec(1, load_default_model())
    (tmp_path / "spec.json").write_text(json.dumps(spec.to_json()))
    command = [sys.executable, "-c", TONES, str(REPO), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    found = json.loads(line.removeprefix("RESULT "))
    assert found["8.png"][0] == pytest.approx(found["16.png"][0], abs=0.002)
    for _, mean in found.values():
        assert mean[:3] == pytest.approx(np.array(colour) / 255, abs=1e-3)
