"""Image-based light from the panoramas that Blender ships, exposed for the face."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from capture import InputError
from generator.blender.nodes import Graph, grey, opaque
from generator.components.environment import EnvironmentSpec

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
FILL = 0.25  # share of even light from everywhere, so that a face against the sun keeps its texture
# Radiance over the face's light above which the panorama is cut: a small sun burns glassy highlights into the skin,
# which glide as the camera moves, and its shadows are harder than anything in a capture studio.
BRIGHTEST = 8.0
WHITE_BALANCE = 0.75  # how much of the light's colour the cameras correct, as real ones do


def hdri_path(name: str) -> Path:
    """The file of a panorama; raises `InputError` where this Blender has none of the name."""
    folder = bpy.utils.system_resource("DATAFILES", path="studiolights/world")
    path = Path(folder or "") / f"{name}.exr"
    if not path.is_file():
        raise InputError(f"panorama is missing: {path}; this Blender comes without studio lights, use another build")
    return path


def add_world(scene: Any, spec: EnvironmentSpec, gain: float = 1.0) -> None:
    """Light the scene with the panorama; the camera sees it too, or a plain backdrop.

    `gain` multiplies all light: cameras open up for a dark face (`skin_colour.exposure_gain`).
    """
    image = bpy.data.images.load(str(hdri_path(spec.hdri)))
    panorama = _pixels(image)
    brightest, light_colour = _tame(panorama, spec.rotation)
    level = float(light_colour @ LUMINANCE)
    balance = (level / light_colour) ** WHITE_BALANCE
    strength = gain * spec.exposure * (1 - FILL) / level
    world = bpy.data.worlds.new("world")
    world.use_nodes = True
    scene.world = world
    graph = Graph(world.node_tree)
    position = graph.node("TexCoord").outputs["Generated"]
    turned = graph.node("Mapping", {"Vector": position, "Rotation": (0.0, 0.0, math.radians(spec.rotation))})
    picture = graph.node("TexEnvironment", {"Vector": turned.outputs[0]}, image=image, interpolation="Cubic")
    tamed = graph.node("VectorMath", {0: picture.outputs["Color"], 1: (brightest,) * 3}, operation="MINIMUM").outputs[0]
    balanced = graph.mix(1.0, tamed, opaque(tuple(balance * strength)), "MULTIPLY")
    filled = graph.mix(1.0, balanced, grey(gain * spec.exposure * FILL), "ADD")
    surface = graph.node("Background", {"Color": filled, "Strength": 1.0}).outputs[0]
    if spec.backdrop is not None:
        plain = graph.node("Background", {"Color": opaque(spec.backdrop), "Strength": 1.0})
        seen = graph.node("LightPath").outputs["Is Camera Ray"]
        surface = graph.node("MixShader", {0: seen, 1: surface, 2: plain.outputs[0]}).outputs[0]
    graph.node("OutputWorld", {"Surface": surface})


def _pixels(image: Any) -> NDArray[np.float64]:
    """(H, W, 3) linear values, the bottom row first."""
    width, height = image.size
    values = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(values)
    return values.reshape(height, width, 4)[..., :3].astype(float)


def _tame(panorama: NDArray[np.float64], rotation: float) -> tuple[float, NDArray[np.float64]]:
    """The radiance to cut the panorama at, and what the face receives (3,) of the rest.

    The two depend on each other: where a lamp in front gives most of the light, cutting it darkens the face, and the
    window behind, cut no lower, would outshine it. A few rounds settle it.
    """
    height, width, _ = panorama.shape
    shares = face_shares(height, width, rotation)
    light = face_light(panorama, shares)
    for _ in range(5):
        brightest = BRIGHTEST * float(light @ LUMINANCE)
        light = face_light(np.minimum(panorama, brightest), shares)
    return brightest, light


def face_light(panorama: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3,) radiance of a white Lambertian card lit by the panorama (H, W, 3); 1 means that albedo 0.5 renders as 0.5.

    `shares` (H, W) comes from `face_shares`.
    """
    return np.maximum((panorama * shares[..., None]).sum(axis=(0, 1)), 1e-4)


def face_shares(height: int, width: int, rotation: float) -> NDArray[np.float64]:
    """How much of the radiance of each pixel a white card sends on: mostly one that faces the front, a little others.

    Args:
        height, width: H, W of an equirectangular panorama, the bottom row first; in Blender's layout the middle column
            is +X.
        rotation: of the world about Z in degrees, as the Mapping node takes it.

    Returns:
        (H, W); a panorama of ones sums up to the share of the sky that the cards see, nearly 1.
    """
    elevation = ((np.arange(height) + 0.5) / height - 0.5) * np.pi
    azimuth = -((np.arange(width) + 0.5) / width - 0.5) * 2 * np.pi
    azimuth = azimuth - math.radians(rotation)  # from the panorama's frame to the world's
    weight = np.cos(elevation)[:, None] * (np.pi / height) * (2 * np.pi / width)
    x, y = np.cos(elevation)[:, None] * np.cos(azimuth), np.cos(elevation)[:, None] * np.sin(azimuth)
    z = np.sin(elevation)[:, None]
    cards = [(0.0, -1.0, 0.0), (0.7, -0.7, 0.0), (-0.7, -0.7, 0.0), (0.0, -0.7, 0.7)]
    shares = [0.55, 0.15, 0.15, 0.15]
    facing = sum(w * np.maximum(c[0] * x + c[1] * y + c[2] * z, 0) for w, c in zip(shares, cards, strict=True))
    return np.asarray(weight * facing / np.pi)
