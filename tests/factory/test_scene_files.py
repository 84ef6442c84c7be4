"""`p2p generate --save-scene`, and images with alpha in the place of a background, with real Blender."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from capture import Capture, HeadSurface
from scans.images.decoding import decode_file
from tests.helpers import p2p_here

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="the bpy wheel is not installed"),
]

LOOK = """
import json, sys
import bpy

bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
scene = bpy.context.scene
print()
print(json.dumps({
    "types": {each.name: each.type for each in scene.objects}, "camera": scene.camera.name,
    "size": [scene.render.resolution_x, scene.render.resolution_y], "clear": scene.render.film_transparent,
    "places": {each.name: list(each.matrix_world.translation) for each in scene.objects if each.type == "CAMERA"},
    "unpacked": [each.name for each in bpy.data.images if each.source == "FILE" and not each.packed_file],
}))
"""


def test_a_scene_is_saved_and_images_are_clear_where_nothing_is(tmp_path: Path) -> None:
    wanted = tmp_path / "overrides.yaml"
    wanted.write_text("environment: {background: transparent, lighting: dome}\nrig: {views: [[0, 0], [40, 0]]}\n")
    words = ("--seeds", "4", "--out", tmp_path, "--resolution", "48", "--samples", "1", "--distributions", wanted)
    code, said = p2p_here("generate", *words, "--hair", "buzz", "--beard", "none", "--neutral", "--save-scene")
    assert code == 0, said
    folder = tmp_path / "head_00000004"
    capture = Capture.read(folder)
    for image, mask in zip(capture.image_paths, capture.mask_paths, strict=True):
        with Image.open(image) as opened, Image.open(mask) as classes:
            assert opened.mode == "RGBA" and opened.size == (48, 48)
            pixels, covered = np.asarray(opened), np.asarray(classes) > 0
        alpha = pixels[..., 3] > 127
        assert 0.2 < covered.mean() < 0.9 and (alpha != covered).mean() < 0.06
        assert (pixels[pixels[..., 3] == 0] == 0).all() and pixels[alpha][:, :3].max(axis=1).min() > 20
        decoded = decode_file(image)  # as every later stage reads it
        assert decoded.opaque is not None and np.array_equal(decoded.opaque, alpha)
        assert np.array_equal(decoded.colours, pixels[..., :3])
    done = subprocess.run([sys.executable, "-c", LOOK, str(folder / "scene.blend")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert {"skin", "eyes", "scalp hair"} <= set(found["types"]) and found["unpacked"] == []
    assert found["clear"] and found["camera"] == "view_00.png" and found["size"] == [48, 48]
    for camera in capture.cameras:
        np.testing.assert_allclose(found["places"][camera.name], camera.centre, atol=1e-5)
    parts = trimesh.load(folder / "scene.glb", process=False)
    (skin,) = [mesh for name, mesh in parts.geometry.items() if name.startswith("skin")]
    surface = HeadSurface.read(folder / "head.ply")
    true = surface.vertices[np.unique(surface.faces[surface.part("skin")])]
    y_up = np.stack([true[:, 0], true[:, 2], -true[:, 1]], axis=1)  # glTF's frame
    np.testing.assert_allclose(skin.bounds, [y_up.min(axis=0), y_up.max(axis=0)], atol=1e-5)
    assert {"eyes"} <= {name.split(".")[0] for name in parts.geometry}
