"""Shaders at a level of detail: pixels show the same, and other surfaces get the light of plain materials."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from capture import Camera
from generator.cameras.footprint import pixel_size


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
