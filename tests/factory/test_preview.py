"""Contact sheets: what is planned, and one that is rendered."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capture import InputError
from factory.preview import STRIP, Tile, parse_views, plan_tiles, preview_heads
from factory.stages.seeds import seeds_of
from factory.stages.settings import RenderSettings
from generator.components.environment import LIGHTINGS
from generator.distributions import Distributions
from tests.assets.packs import write_asset


def test_views_are_angles() -> None:
    assert parse_views("0:0,-40:5.5") == ((0.0, 0.0), (-40.0, 5.5))
    for text in ("", "3", "0:0,", "a:b", "0:0:0", "nan:0"):
        with pytest.raises(InputError, match="`views`"):
            parse_views(text)
    with pytest.raises(InputError, match="stand in one place"):
        parse_views("0:0,360:0")


def test_every_option_of_a_choice_is_shown_for_every_seed() -> None:
    overrides = Distributions({"environment": {"exposure": 1.0}})
    tiles = plan_tiles([3, 4], overrides, "environment.lighting")
    assert [tile.seed for tile in tiles] == [3] * len(LIGHTINGS) + [4] * len(LIGHTINGS)
    assert [tile.overrides.overrides["environment"] for tile in tiles[: len(LIGHTINGS)]] == [
        {"exposure": 1.0, "lighting": name} for name in LIGHTINGS
    ]
    assert [tile.label for tile in plan_tiles([3, 4], overrides, None)] == ["seed 3", "seed 4"]


def test_mistakes_are_told_before_blender_starts(tmp_path: Path) -> None:
    for each in ("hair.famly", "hair", "", "hat.kind", "skin.melanin"):
        with pytest.raises(InputError, match=r"`each` .*hair\.family"):
            plan_tiles([0], Distributions(), each)
    with pytest.raises(InputError, match="unknown colour_"):
        plan_tiles([0], Distributions({"hair": {"colour_": 1}}), None)
    with pytest.raises(InputError, match=r"a sheet is a \.png"):
        preview_heads([], ((0, 0),), tmp_path / "sheet.txt", RenderSettings())
    for heads, first in ((0, 0), (1, -1), (2, 99_999_999)):
        with pytest.raises(InputError):
            seeds_of(heads, first)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="the bpy wheel is not installed")
def test_a_sheet_of_two_heads(tmp_path: Path) -> None:
    tiles = plan_tiles([0, 1], Distributions({"hair": {"family": "buzz"}}), None)
    sheet = preview_heads(tiles, ((0, 0), (40, 5)), tmp_path / "sheet.png", RenderSettings(32, 1))
    image = Image.open(sheet)
    assert image.size in ((64, 2 * (32 + STRIP)), (128, 32 + STRIP))
    assert len(np.unique(np.asarray(image.convert("L"))[:32, :32])) > 20
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="the bpy wheel is not installed")
def test_a_head_that_cant_be_made_is_left_out_with_the_reason(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One of two panoramas is cut off behind its header, which the library's quick look doesn't see."""
    for name in ("whole", "torn"):
        path = write_asset(tmp_path / "library", f"mine/{name}", "hdri", files={"image": "sky.hdr"})
        data = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 16 +X 32\n" + bytes([90, 90, 90, 128]) * 512
        (path.parent / "sky.hdr").write_bytes(data if name == "whole" else data[:300])
    plain = Distributions({"hair": {"family": "none"}, "environment": {"lighting": "panorama"}})
    library = (tmp_path / "library",)
    tiles = [
        Tile(0, plain.joined({"environment": {"hdri": f"mine/{name}"}}), f"{name} 0") for name in ("torn", "whole")
    ]
    sheet = preview_heads(tiles, ((0, 0),), tmp_path / "sheet.png", RenderSettings(32, 1, library=library))
    with Image.open(sheet) as image:
        assert image.size == (32, 32 + STRIP)
    assert "torn 0 is left out: " in caplog.text and "sky.hdr" in caplog.text
    with pytest.raises(InputError, match="no head can be shown"):
        preview_heads(tiles[:1], ((0, 0),), tmp_path / "none.png", RenderSettings(32, 1, library=library))
