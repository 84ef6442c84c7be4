"""Shaders and strands at a level of detail: pixels show the same, other surfaces get the light of plain materials."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from capture import Camera
from generator.cameras.footprint import pixel_size
from generator.components.hair_colour import HairColour
from generator.hair.level_of_detail import WIDEST, coarse_strands, side_area
from generator.hair.scattering import inner_colour
from generator.hair.strands import Strands


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> dict:
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("the bpy wheel is not installed")
    out = tmp_path_factory.mktemp("cards")
    command = [sys.executable, str(Path(__file__).with_name("detail_card.py")), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict = json.loads((out / "detail.json").read_text())
    return found


def test_pixels_show_the_same_noise_without_its_fine_octaves(cards: dict) -> None:
    for size, noise in cards["noises"].items():
        assert noise["alike"] > 0.97, size
        assert noise["contrast"] == pytest.approx(1, abs=0.1), size


def test_cameras_see_the_whole_shader_also_through_glass_and_walls_the_plain_one(cards: dict) -> None:
    assert cards["light"]["direct"] == pytest.approx(1, abs=1e-3)
    assert cards["light"]["glass"] == pytest.approx(1, abs=1e-3)
    assert cards["light"]["wall"] == pytest.approx(2, abs=0.3)  # a lamp behind the camera, 100 m wide at 2 m


def test_a_pixel_is_as_large_as_projection_says() -> None:
    camera = Camera.pinhole("a.png", (640, 480), (900, 900), (320, 240), np.eye(3), (0, 0, 1.2))
    size = pixel_size(camera, np.zeros(3))
    pixels, _ = camera.project(np.array([[0.0, 0, 0], [size, 0, 0]]))
    assert pixels[1, 0] - pixels[0, 0] == pytest.approx(1.0)


def long_hair(count: int = 5000, length: float = 0.1) -> Strands:
    """Strands of 0.1 mm radius at the root, no two alike."""
    rng = np.random.default_rng(5)
    steps = np.cumsum(rng.random((count, 12, 3)), axis=1)
    points = steps * length / np.linalg.norm(np.diff(steps, axis=1), axis=2).sum(axis=1).mean()
    radii = 0.0001 * (0.8 + 0.4 * rng.random((count, 1))) * np.linspace(1, 0.4, 12)
    return Strands(points, radii, rng.random(count), rng.random(count))


def rows(strands: Strands) -> set[bytes]:
    return {row.tobytes() for row in strands.points}


def test_finer_pixels_only_add_strands_and_nothing_is_drawn_anew() -> None:
    strands = long_hair()
    levels = [coarse_strands(strands, pixel) for pixel in (0.004, 0.002, 0.001, 0.0004, 0.0)]
    assert len(levels[0]) < len(levels[1]) < len(levels[2]) < len(levels[3]) == len(levels[4]) == len(strands)
    for coarse, fine in pairwise(levels):
        assert rows(coarse) < rows(fine) or len(coarse) == len(fine)
    again = coarse_strands(long_hair(), 0.002)
    assert np.array_equal(again.points, levels[1].points) and np.array_equal(again.radii, levels[1].radii)
    chosen = [row.tobytes() in rows(levels[1]) for row in strands.points]
    assert [strands.shade[i] for i in np.flatnonzero(chosen)] == list(levels[1].shade)


def test_fewer_strands_cover_as_much_and_stay_thin_for_pixels() -> None:
    strands = long_hair()
    for pixel in (0.0008, 0.002, 0.004):
        coarse = coarse_strands(strands, pixel)
        assert len(coarse) < len(strands)
        assert side_area(coarse) == pytest.approx(side_area(strands))
        assert 2 * coarse.radii.mean() == pytest.approx(WIDEST * pixel, rel=0.03)


def test_strands_are_left_out_evenly() -> None:
    strands = long_hair()
    coarse = coarse_strands(strands, 0.002)
    kept = np.array([row.tobytes() in rows(coarse) for row in strands.points])
    per_hundred = kept.reshape(-1, 100).sum(axis=1)
    assert np.ptp(per_hundred) <= 4  # by chance some 20


def test_short_hair_keeps_every_strand() -> None:
    stubble = long_hair(length=0.004)
    assert coarse_strands(stubble, 0.01) is stubble


def brightness(colour: HairColour) -> float:
    return float(np.mean(inner_colour(colour)))


def test_hair_looks_to_hair_as_bright_as_its_pigment_makes_it() -> None:
    assert brightness(HairColour(1.0)) < brightness(HairColour(0.5)) < brightness(HairColour(0.1))
    half = brightness(HairColour(0.8, grey=0.5))
    assert half == pytest.approx((brightness(HairColour(0.8)) + brightness(HairColour(0.8, grey=1.0))) / 2)
    blue = inner_colour(HairColour(0.9, dyed=1.0, tint=(0.06, 0.2, 0.75)))
    assert blue[0] < min(blue[1:])


@pytest.mark.parametrize("colour", ["black", "brown", "greying"])
def test_dark_hair_is_as_bright_as_with_its_whole_shader_at_every_hit(cards: dict, colour: str) -> None:
    assert cards["hair"][colour] == pytest.approx(1, abs=0.04)
