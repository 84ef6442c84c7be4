"""The eye shader: iris, pupil, limbus and veined white from the angle to the gaze axis, under a wet, bulging cornea.

The head model's eyes carry that angle in their texture coordinates: the distance from (0.5, 0.5) is angle / 2 pi.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from generator.blender.materials.nodes import Graph, material, opaque
from generator.blender.materials.skin import noise
from generator.blender.materials.texture_images import opaque_image
from generator.components.eyes import IRISES, EyeSpec

CORNEA = 0.0078  # metres, radius of curvature
# MakeHuman's eye images show the left eye around a point of their lower left quarter; measured on its eye meshes: the
# radius of the iris there, and how far a radian beyond the iris takes one.
EYE_CENTRE = (0.2927, 0.2917)
IRIS_RADIUS, PER_RADIAN, WHITE_RADIUS = 0.113, 0.155, 0.275


def eye_material(spec: EyeSpec, radius: float, texture: Path | None = None, gain: float = 1.0) -> Any:
    """The material of both eyes; reads the vertex attributes `eye_uv` and `base`.

    Args:
        spec: parameters.
        radius: of the eyeballs, metres.
        texture: an image with MakeHuman's layout of eyes instead of the procedural colours.
        gain: factor by which the cameras are opened up for dark skin: the white of the eyes must not burn out.

    Raises:
        InputError: the texture can't be read.
    """
    made, graph = material("eyes")
    plane = graph.node(
        "VectorMath", {0: graph.attribute("eye_uv").outputs["Vector"], 1: (0.5, 0.5, 0.0)}, operation="SUBTRACT"
    ).outputs[0]
    distance = graph.node("VectorMath", {0: plane}, operation="LENGTH").outputs["Value"]
    iris = math.asin(min(spec.iris_mm / 1000 / radius, 0.9)) / (2 * math.pi)
    pupil = math.asin(min(spec.pupil_mm / 1000 / radius, 0.9)) / (2 * math.pi)
    ring = graph.math("DIVIDE", distance, iris)
    if texture is not None:
        colour = _image(graph, texture, plane, distance, 2 * math.pi * iris)
    else:
        colour = graph.mix(graph.ramp(ring, 0.90, 1.10), _iris(graph, spec, plane, ring), _white(graph, spec, ring))
        edge = pupil / iris
        colour = graph.mix(graph.ramp(ring, 0.93 * edge, 1.05 * edge), opaque((0.002, 0.002, 0.002)), colour)
    colour = graph.mix(1.0, colour, _shade(graph, max(gain, 1.0)), "MULTIPLY")
    bulge = _cornea(graph, ring, spec.iris_mm / 1000, radius)
    inputs: dict[str | int, Any] = {
        "Base Color": colour,
        "Roughness": 0.4,
        "Specular IOR Level": 0.0,
        "Coat Weight": 1.0,
        "Coat Roughness": 0.02,
        "Coat IOR": 1.376,
        "Coat Normal": bulge,
    }
    graph.node("OutputMaterial", {"Surface": graph.node("BsdfPrincipled", inputs).outputs[0]})
    return made


def _shade(graph: Graph, gain: float) -> Any:
    """Less light reaches the eyeball below the upper lid and in the corners than Cycles' few bounces tell."""
    height = graph.node("SeparateXYZ", {0: graph.attribute("base").outputs["Vector"]}).outputs[2]
    lid = graph.ramp(height, 0.006, -0.004)  # 0 under the upper lid, 1 from the middle down
    level = gain**-0.6
    return graph.mix(lid, opaque((0.52 * level, 0.47 * level, 0.47 * level)), opaque((level, level, level)))


def _cornea(graph: Graph, ring: Any, iris: float, radius: float) -> Any:
    """The normal of a cornea, which is more strongly curved than the eyeball that it sits on."""
    inside = graph.math("MINIMUM", ring, 1.12)
    height = graph.math(
        "MULTIPLY", graph.math("MULTIPLY", inside, inside), -(iris**2) * (1 / (2 * CORNEA) - 1 / (2 * radius))
    )
    return graph.node("Bump", {"Strength": 1.0, "Distance": 1.0, "Height": height}).outputs[0]


def _image(graph: Graph, path: Path, plane: Any, distance: Any, iris: float) -> Any:
    """The left eyeball of an image in MakeHuman's layout, its iris (radius in radians) as large as ours."""
    angle = graph.math("MULTIPLY", distance, 2 * math.pi)
    inside = graph.math("MULTIPLY", angle, IRIS_RADIUS / iris)
    beyond = graph.math("ADD", graph.math("MULTIPLY", angle, PER_RADIAN), IRIS_RADIUS - PER_RADIAN * iris)
    reach = graph.math("MINIMUM", graph.math("MINIMUM", inside, beyond), WHITE_RADIUS)
    direction = graph.node("VectorMath", {0: plane}, operation="NORMALIZE").outputs[0]
    offset = graph.node("VectorMath", {0: direction, "Scale": reach}, operation="SCALE").outputs[0]
    place = graph.node("VectorMath", {0: offset, 1: (*EYE_CENTRE, 0.0)}, operation="ADD").outputs[0]
    colour = graph.node("TexImage", {"Vector": place}, image=opaque_image(path)).outputs["Color"]
    return graph.mix(1.0, colour, opaque((0.75, 0.72, 0.70)), "MULTIPLY")  # they are painted brighter than eyes are


def _iris(graph: Graph, spec: EyeSpec, plane: Any, ring: Any) -> Any:
    """Radial fibres between the two colours, dark at the limbus."""
    outer, inner = IRISES[spec.iris]
    direction = graph.node("VectorMath", {0: plane}, operation="NORMALIZE").outputs[0]
    around = graph.node("VectorMath", {0: direction, 1: (3.0 + spec.seed % 13,) * 3}, operation="ADD").outputs[0]
    fibres = graph.node("TexNoise", {"Vector": around, "Scale": 11.0, "Detail": 4.0, "Roughness": 0.7}).outputs[0]
    blend = graph.math("ADD", ring, graph.math("MULTIPLY", graph.math("SUBTRACT", fibres, 0.5), 1.1))
    colour = graph.mix(graph.ramp(blend, 0.35, 0.85), opaque(inner), opaque(outer))
    return graph.mix(graph.ramp(ring, 0.76, 0.98), colour, opaque((0.20, 0.17, 0.16)), "MULTIPLY")


def _white(graph: Graph, spec: EyeSpec, ring: Any) -> Any:
    """Off-white, redder and veined towards the corners."""
    base = graph.attribute("base").outputs["Vector"]
    veins = graph.ramp(noise(graph, base, 0.0016, 4.0), 0.56, 0.66)
    edge = graph.ramp(ring, 1.0, 2.3)
    red = graph.math("MULTIPLY", edge, min(0.25 + 0.6 * spec.redness, 1.0))
    colour = graph.mix(red, opaque((0.47, 0.43, 0.39)), opaque((0.34, 0.21, 0.18)))
    return graph.mix(
        graph.math("MULTIPLY", graph.math("MULTIPLY", veins, edge), 0.5 * spec.redness + 0.1),
        colour,
        opaque((0.45, 0.12, 0.10)),
    )
