"""Run in a process with bpy: noise of a skin with and without what is finer than a pixel, and shaders by distance."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from capture import Camera
from generator.blender.cameras import add_camera
from generator.blender.materials.nodes import grey, material
from generator.blender.materials.skin import coarse_noise
from generator.blender.meshes import add_mesh
from generator.blender.render import render_channels
from generator.blender.scene import new_scene

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


def main() -> None:
    out = Path(sys.argv[1])
    noises = {}
    for size, detail, roughness in ((0.010, 5, 0.8), (0.003, 3, 0.6)):
        every, coarse = (noise_image(out, size, detail, roughness, pixel) for pixel in (0.0, PIXEL))
        alike = float(np.corrcoef(every.ravel(), coarse.ravel())[0, 1])
        noises[str(size)] = {"alike": alike, "contrast": float(coarse.std() / every.std())}
    (out / "detail.json").write_text(json.dumps({"noises": noises, "light": by_distance(out)}))


main()
