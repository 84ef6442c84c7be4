"""The eye shader: iris, pupil, limbus and veined white from the angle to the gaze axis, under a wet coat.

The head model's eyes carry that angle in their texture coordinates: the distance from (0.5, 0.5) is angle / 2 pi.
"""

from __future__ import annotations

import math
from typing import Any

from generator.blender.nodes import Graph, material, opaque
from generator.blender.skin_material import noise
from generator.components.eyes import IRISES, EyeSpec


def eye_material(spec: EyeSpec, radius: float) -> Any:
    """The material of both eyes; reads the vertex attributes `eye_uv` and `base`.

    Args:
        radius: of the eyeballs, metres.
    """
    made, graph = material("eyes")
    plane = graph.node("VectorMath", {0: graph.attribute("eye_uv").outputs["Vector"], 1: (0.5, 0.5, 0.0)},
                       operation="SUBTRACT").outputs[0]  # fmt: skip
    distance = graph.node("VectorMath", {0: plane}, operation="LENGTH").outputs["Value"]
    iris = math.asin(min(spec.iris_mm / 1000 / radius, 0.9)) / (2 * math.pi)
    pupil = math.asin(min(spec.pupil_mm / 1000 / radius, 0.9)) / (2 * math.pi)
    ring = graph.math("DIVIDE", distance, iris)
    colour = graph.mix(graph.ramp(ring, 0.92, 1.06), _iris(graph, spec, plane, ring), _white(graph, spec, ring))
    edge = pupil / iris
    colour = graph.mix(graph.ramp(ring, 0.93 * edge, 1.05 * edge), opaque((0.002, 0.002, 0.002)), colour)
    shader = graph.node(
        "BsdfPrincipled",
        {
            "Base Color": colour,
            "Roughness": 0.35,
            "Specular IOR Level": 0.0,
            "Coat Weight": 0.25,
            "Coat Roughness": 0.03,
        },
    )
    graph.node("OutputMaterial", {"Surface": shader.outputs[0]})
    return made


def _iris(graph: Graph, spec: EyeSpec, plane: Any, ring: Any) -> Any:
    """Radial fibres between the two colours, dark at the limbus."""
    outer, inner = IRISES[spec.iris]
    direction = graph.node("VectorMath", {0: plane}, operation="NORMALIZE").outputs[0]
    around = graph.node("VectorMath", {0: direction, 1: (3.0 + spec.seed % 13,) * 3}, operation="ADD").outputs[0]
    fibres = graph.node("TexNoise", {"Vector": around, "Scale": 11.0, "Detail": 4.0, "Roughness": 0.7}).outputs[0]
    blend = graph.math("ADD", ring, graph.math("MULTIPLY", graph.math("SUBTRACT", fibres, 0.5), 1.1))
    colour = graph.mix(graph.ramp(blend, 0.35, 0.85), opaque(inner), opaque(outer))
    return graph.mix(graph.ramp(ring, 0.80, 1.0), colour, opaque((0.25, 0.22, 0.20)), "MULTIPLY")


def _white(graph: Graph, spec: EyeSpec, ring: Any) -> Any:
    """Off-white, redder and veined towards the corners."""
    base = graph.attribute("base").outputs["Vector"]
    veins = graph.ramp(noise(graph, base, 0.0016, 4.0), 0.56, 0.66)
    edge = graph.ramp(ring, 1.0, 2.3)
    red = graph.math("MULTIPLY", edge, min(0.25 + 0.6 * spec.redness, 1.0))
    colour = graph.mix(red, opaque((0.47, 0.43, 0.39)), opaque((0.36, 0.23, 0.20)))
    return graph.mix(graph.math("MULTIPLY", graph.math("MULTIPLY", veins, edge), 0.5 * spec.redness + 0.1), colour,
                     opaque((0.45, 0.12, 0.10)))  # fmt: skip
