"""Run in a process with bpy: how bright a grey card in front of the face is rendered under every light."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import bpy
import numpy as np

from generator.blender.cameras import add_camera, aim
from generator.blender.materials.nodes import grey, material
from generator.blender.meshes import add_mesh
from generator.blender.scene import new_scene
from generator.blender.world import add_world
from generator.cameras.rig import RigSpec, rig_cameras
from generator.components.environment import HDRIS, LIGHTINGS, EnvironmentSpec

ALBEDO = 0.5


def card_brightness(spec: EnvironmentSpec, out: Path) -> list[float]:
    """Linear RGB of a matt card that faces the front camera, without the light that it throws back."""
    scene = new_scene(64, None, 0)
    scene.cycles.use_denoising = False
    add_camera(scene)
    add_world(scene, spec)
    made, graph = material("card")
    shader = graph.node("BsdfDiffuse", {"Color": grey(ALBEDO)})
    graph.node("OutputMaterial", {"Surface": shader.outputs[0]})
    corners = np.array([[-1.0, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]])
    add_mesh("card", corners, np.array([[0, 1, 2], [0, 2, 3]]), made, 1)
    aim(scene, rig_cameras(RigSpec(), (0, 0, 0), 0.15, 16)[3])
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.filepath = str(out)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(out))
    pixels = np.empty(16 * 16 * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return [float(value) for value in pixels.reshape(-1, 4)[:, :3].mean(axis=0)]


def main() -> None:
    out = Path(sys.argv[1])
    specs = {
        f"{hdri} {rotation}": EnvironmentSpec(hdri=hdri, rotation=rotation)
        for hdri, rotation in zip(HDRIS, np.linspace(0, 315, len(HDRIS)).tolist(), strict=True)
    }
    specs |= {name: EnvironmentSpec(name, unevenness=0.4, contrast=4.0) for name in LIGHTINGS if name != "panorama"}
    seen = {name: card_brightness(spec, out.with_suffix(".exr")) for name, spec in specs.items()}
    out.write_text(json.dumps(seen))


main()
