"""Light from all around, exposed for the face, and the background."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from capture import InputError
from capture.runtime.warnings_once import warn_once
from generator.blender.compat import socket
from generator.blender.materials.nodes import Graph, grey, opaque
from generator.components.environment import LAMPS, EnvironmentSpec
from generator.lighting import (
    BRIGHTEST,
    LUMINANCE,
    OVEREXPOSED,
    WHITE_BALANCE,
    fill_share,
    lamp_light,
    limit_radiance,
    studio_light,
    unevenness,
)

# Mean square of the light over the square of its mean, below which it is even. Views of 384 x 384 pixels and 4 samples
# then have up to 5 % more noise without lamps being sampled.
EVEN = 3.0
_FINEST_MAP = 1024  # pixels around, a third of a degree each
_GLOSS = ("Specular IOR Level", "Coat Weight", "Sheen Weight")


def hdri_path(name: str) -> Path:
    """The file of a panorama; raises `InputError` where this Blender has none of the name."""
    folder = bpy.utils.system_resource("DATAFILES", path="studiolights/world")
    path = Path(folder or "") / f"{name}.exr"
    if not path.is_file():
        raise InputError(f"panorama is missing: {path}; this Blender comes without studio lights, use another build")
    return path


def add_world(scene: Any, spec: EnvironmentSpec, gain: float = 1.0, file: Path | None = None) -> None:
    """Light the scene; the camera sees the panorama or a plain backdrop.

    `gain` multiplies all light: cameras open up for a dark face (`skin_colour.exposure_gain`). `file` is the panorama's
    where it is none of Blender's.
    """
    world = bpy.data.worlds.new("world")
    world.use_nodes = True
    scene.world = world
    graph = Graph(world.node_tree)
    level, fill = gain * spec.exposure, fill_share(spec)
    panorama = spec.lighting == "panorama"
    if panorama:
        image, turn = load_panorama(file or hdri_path(spec.hdri)), spec.rotation
    else:
        image, turn = _as_image(studio_light(spec)), 0.0
    pixels = _pixels(image)
    lamp = spec.lighting in LAMPS  # small and as bright as it is: it is there for its shadows
    over = math.inf if lamp else BRIGHTEST
    level_of_lit = lamp_light(pixels, spec.key) / OVEREXPOSED if lamp else 0.0
    light = _balanced(graph, image, pixels, turn, level * (1 - fill), over, level_of_lit)
    _choose_sampling(world, pixels, turn, fill, over)
    if spec.backdrop is not None:
        behind, strength = opaque(spec.backdrop), 1.0
    elif panorama:
        behind, strength = light, spec.dim / (1 - fill)
    else:
        far = load_panorama(file or hdri_path(spec.hdri))
        behind, strength = _balanced(graph, far, _pixels(far), spec.rotation, level), spec.dim
    lamps = graph.node("Background", {"Color": graph.mix(1.0, light, grey(level * fill), "ADD"), "Strength": 1.0})
    seen = graph.node("Background", {"Color": behind, "Strength": strength})
    camera = graph.node("LightPath").outputs["Is Camera Ray"]
    both = graph.node("MixShader", {0: camera, 1: lamps.outputs[0], 2: seen.outputs[0]})
    graph.node("OutputWorld", {"Surface": both.outputs[0]})


def _choose_sampling(world: Any, pixels: NDArray[np.float64], rotation: float, fill: float, over: float) -> None:
    """Have even light found by what surfaces scatter alone, without a ray to a lamp at every hit; other light by both.

    The map by which Cycles draws lamps is as fine as the light: else it is as fine as a panorama in the background.
    """
    step = max(1, pixels.shape[1] // 512)
    even = unevenness(pixels[::step, ::step], rotation, fill, over) < EVEN
    world.cycles.sampling_method = "NONE" if even else "MANUAL"
    world.cycles.sample_map_resolution = min(pixels.shape[1], _FINEST_MAP)


def polarise(share: float) -> None:
    """Leave a share of the gloss of all materials, as filters in front of lamps and cameras do.

    Crossed polarisers block what a surface reflects directly and pass half of what is scattered below it (Ma et al.
    2007, "Rapid acquisition of specular and diffuse normal maps", section 3).
    """
    for material in bpy.data.materials:
        nodes = list(material.node_tree.nodes) if material.use_nodes else []
        for node in nodes:
            if node.bl_idname == "ShaderNodeBsdfPrincipled":
                for name in _GLOSS:
                    _scale(material.node_tree, socket(node, name), share)


def _scale(tree: Any, target: Any, share: float) -> None:
    """Multiply an input of a node, be it linked or not."""
    if target is None or not hasattr(target, "default_value"):
        return
    if not target.is_linked:
        target.default_value = target.default_value * share
        return
    node = tree.nodes.new("ShaderNodeMath")
    node.operation, node.inputs[1].default_value = "MULTIPLY", share
    tree.links.new(target.links[0].from_socket, node.inputs[0])
    tree.links.new(node.outputs[0], target)


def load_panorama(path: Path) -> Any:
    """The image of a file, taken as the whole sphere; raises `InputError` where it is damaged."""
    try:
        image = bpy.data.images.load(str(path))
    except RuntimeError as error:
        reason = " ".join(str(error).split()) or "unknown format"
        raise InputError(f"can't read the panorama {path}: {reason}; replace the file") from None
    width, height = image.size
    if not image.has_data and not len(image.pixels):  # Blender reads when asked for the pixels
        raise InputError(f"damaged panorama: {path}; replace the file")
    if not 1.8 <= width / max(height, 1) <= 2.2:
        warn_once(f"{path}: {width} x {height} pixels are stretched over the sphere; whole panoramas are twice as wide")
    return image


def _balanced(
    graph: Graph,
    image: Any,
    pixels: NDArray[np.float64],
    rotation: float,
    level: float,
    over: float = BRIGHTEST,
    at_least: float = 0.0,
) -> Any:
    """The colour of a panorama, its lamps cut, white-balanced, and scaled so that the face receives `level`.

    `over` is the limit of `limit_radiance`; the face's light is taken for `at_least` this bright.
    """
    brightest, light_colour = limit_radiance(pixels, rotation, over)
    luminance = float(light_colour @ LUMINANCE)
    balance = (luminance / light_colour) ** WHITE_BALANCE
    strength = level / max(luminance, at_least)
    position = graph.node("TexCoord").outputs["Generated"]
    turned = graph.node("Mapping", {"Vector": position, "Rotation": (0.0, 0.0, math.radians(rotation))})
    picture = graph.node("TexEnvironment", {"Vector": turned.outputs[0]}, image=image, interpolation="Cubic")
    tamed = picture.outputs["Color"]
    if math.isfinite(brightest):
        tamed = graph.node("VectorMath", {0: tamed, 1: (brightest,) * 3}, operation="MINIMUM").outputs[0]
    return graph.mix(1.0, tamed, opaque(tuple(balance * strength)), "MULTIPLY")


def _as_image(panorama: NDArray[np.float64]) -> Any:
    """An image of linear values that were computed."""
    height, width, _ = panorama.shape
    image = bpy.data.images.new("light", width, height, alpha=False, float_buffer=True)
    filled = np.ones((height, width, 4), np.float32)
    filled[..., :3] = panorama
    image.pixels.foreach_set(filled.ravel())
    image.update()
    image.pack()  # else Cycles may read it back as the blank that it was made as
    return image


def _pixels(image: Any) -> NDArray[np.float64]:
    """(H, W, 3) linear values, the bottom row first."""
    width, height = image.size
    values = np.empty(width * height * 4, np.float32)
    try:
        image.pixels.foreach_get(values)
    except (RuntimeError, TypeError):
        raise InputError(f"damaged panorama: {image.filepath}; replace the file") from None
    return values.reshape(height, width, 4)[..., :3].astype(float)
