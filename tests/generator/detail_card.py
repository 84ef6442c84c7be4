"""Run in a process with bpy: skin's noise with and without what is finer than a pixel, shaders by distance, hair."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from capture import Camera
from generator.blender.cameras import add_camera
from generator.blender.curves import add_strands
from generator.blender.materials.hair import hair_material
from generator.blender.materials.nodes import grey, material
from generator.blender.materials.skin import coarse_noise
from generator.blender.meshes import add_mesh
from generator.blender.render import render_channels
from generator.blender.scene import new_scene
from generator.blender.world import add_world
from generator.components.environment import EnvironmentSpec
from generator.components.hair_colour import HairColour
from generator.hair.strands import Strands

SIDE, PIXEL = 64, 0.001
FRONT = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # looks along +Y


def empty(samples: int) -> Any:
    scene = new_scene(samples, 1, 0)
    scene.cycles.use_denoising = False
    add_camera(scene)
    return scene


def square(name: str, paint: Any, half: float, depth: float) -> None:
    """A square that the camera sees face on."""
    corners = np.array([[-1.0, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]]) * half + np.array([0, depth, 0])
    add_mesh(name, corners, np.array([[0, 1, 2], [0, 2, 3]]), paint, 1)


def seen(scene: Any, out: Path, side: int, pixel: float) -> np.ndarray:
    """(side, side) linear values that a camera one metre before the origin gets, a pixel of a size at the origin."""
    camera = Camera.pinhole("a.png", (side, side), (1 / pixel,) * 2, (side / 2,) * 2, FRONT, (0.0, 0.0, 1.0))
    return render_channels(scene, camera, out)["G"]


def noise_image(out: Path, size: float, detail: int, roughness: float, pixel: float) -> np.ndarray:
    """The noise of a square as pixels show it; its deviation from a half as large as without a level of detail."""
    scene = empty(64)
    made, graph = material("card")
    place = graph.node("NewGeometry").outputs["Position"]
    field, grown = coarse_noise(graph, place, size, detail, pixel, roughness)
    shine = graph.node("Emission", {"Color": graph.math("ADD", graph.math("MULTIPLY", field, 1 / grown), 1.0)})
    graph.node("OutputMaterial", {"Surface": shine.outputs[0]})
    square("card", made, SIDE * PIXEL, 0.0)
    return seen(scene, out, SIDE, PIXEL)


def by_distance(out: Path) -> dict[str, float]:
    """Light of a lamp whose near shader shines with 1 and whose far one with 2: direct, through glass, off a wall."""
    found = {}
    for way in ("direct", "glass", "wall"):
        scene = empty(64)
        made, graph = material("lamp")
        near, far = (graph.node("Emission", {"Color": grey(level)}).outputs[0] for level in (1.0, 2.0))
        graph.node("OutputMaterial", {"Surface": graph.by_distance(near, far)})
        square("lamp", made, 50.0, -2.0 if way == "wall" else 0.0)
        if way != "direct":
            other, graph = material(way)
            inputs: dict[str | int, Any] = {"Color": grey(1.0), "Roughness": 0.0}
            if way == "glass":
                inputs["IOR"] = 1.0
            shader = graph.node("BsdfRefraction" if way == "glass" else "BsdfDiffuse", inputs)
            graph.node("OutputMaterial", {"Surface": shader.outputs[0]})
            square(way, other, 0.1, -0.2 if way == "glass" else 0.0)
        found[way] = float(seen(scene, out, 8, 0.001).mean())
    return found


def hair(out: Path) -> dict[str, float]:
    """Brightness of hair before a scalp in a dome, over that with the whole shader wherever it is hit."""
    rng = np.random.default_rng(0)
    points = np.zeros((6000, 8, 3))
    points[..., 0], points[..., 1] = rng.uniform(-0.03, 0.03, (2, 6000, 1)) * [[[1]], [[0.3]]]
    points[..., 2] = np.linspace(-0.04, 0.04, 8)
    points += np.cumsum(rng.normal(0, 0.0007, points.shape), axis=1)
    strands = Strands(points, np.full((6000, 8), 1e-4), rng.random(6000))
    found = {}
    for name, colour in (
        ("black", HairColour(0.95)),
        ("brown", HairColour(0.6)),
        ("greying", HairColour(0.7, grey=0.4)),
    ):
        levels = []
        for whole in (True, False):
            scene = empty(32)
            add_world(scene, EnvironmentSpec(lighting="dome", backdrop=(0.0, 0.0, 0.0)))
            made = hair_material("hair", colour)
            if whole:
                tree = made.node_tree
                shader = next(node for node in tree.nodes if node.bl_idname == "ShaderNodeBsdfHairPrincipled")
                surface = next(node for node in tree.nodes if node.bl_idname == "ShaderNodeOutputMaterial")
                tree.links.new(shader.outputs[0], surface.inputs["Surface"])
            add_strands("hair", strands, made, 1)
            scalp, graph = material("scalp")
            shader = graph.node("BsdfDiffuse", {"Color": grey(0.3)})
            graph.node("OutputMaterial", {"Surface": shader.outputs[0]})
            square("scalp", scalp, 0.1, 0.012)
            levels.append(float(seen(scene, out, 32, 0.001).mean()))
        found[name] = levels[1] / levels[0]
    return found


def main() -> None:
    out = Path(sys.argv[1])
    noises = {}
    for size, detail, roughness in ((0.010, 5, 0.8), (0.003, 3, 0.6)):
        every, coarse = (noise_image(out, size, detail, roughness, pixel) for pixel in (0.0, PIXEL))
        alike = float(np.corrcoef(every.ravel(), coarse.ravel())[0, 1])
        noises[str(size)] = {"alike": alike, "contrast": float(coarse.std() / every.std())}
    (out / "detail.json").write_text(json.dumps({"noises": noises, "light": by_distance(out), "hair": hair(out)}))


main()
