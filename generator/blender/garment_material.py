"""Fabric: colour, pattern, weave."""

from __future__ import annotations

from typing import Any

from generator.blender.nodes import Graph, material, opaque
from generator.blender.skin_material import noise
from generator.components.garment import GarmentSpec


def garment_material(spec: GarmentSpec) -> Any:
    """The material of a garment; reads the vertex attributes `base` and `collar`."""
    made, graph = material("garment")
    base = graph.attribute("base").outputs["Vector"]
    colour = _pattern(graph, base, spec)
    rib = graph.attribute("collar").outputs["Fac"]
    colour = graph.mix(graph.math("MULTIPLY", rib, 0.85), colour, opaque(spec.colour))
    weave = noise(graph, base, 0.0022, 3.0)
    speckle = noise(graph, base, 0.0009, 2.0)
    shade = graph.math("ADD", graph.math("MULTIPLY", weave, 0.9), graph.math("MULTIPLY", speckle, 0.6))
    colour = graph.mix(0.65, colour, graph.mix(shade, opaque((0.45, 0.45, 0.45)), opaque((1.5, 1.5, 1.5))), "MULTIPLY")
    bump = graph.node("Bump", {"Strength": 1.0, "Distance": 0.0004, "Height": shade})
    shader = graph.node(
        "BsdfPrincipled",
        {"Base Color": colour, "Roughness": 0.85, "Specular IOR Level": 0.2, "Sheen Weight": 0.25,
         "Normal": bump.outputs[0]},
    )  # fmt: skip
    graph.node("OutputMaterial", {"Surface": shader.outputs[0]})
    return made


def _pattern(graph: Graph, base: Any, spec: GarmentSpec) -> Any:
    """The two colours as stripes, checks or melange, or the first alone."""
    ground, accent = opaque(spec.colour), opaque(spec.accent)
    if spec.pattern == "plain":
        return graph.mix(0.0, ground, ground)
    if spec.pattern == "melange":
        return graph.mix(graph.ramp(noise(graph, base, 0.0035, 4.0), 0.4, 0.62), ground, accent)
    axes = graph.node("SeparateXYZ", {0: base}).outputs
    level = _band(graph, axes[2], spec.scale_mm)
    if spec.pattern == "stripes":
        return graph.mix(level, ground, accent)
    return graph.mix(graph.math("MULTIPLY", graph.math("ADD", level, _band(graph, axes[0], spec.scale_mm)), 0.5),
                     ground, accent)  # fmt: skip


def _band(graph: Graph, coordinate: Any, scale_mm: float) -> Any:
    """1 on every other band of the given width."""
    position = graph.math("FRACT", graph.math("DIVIDE", graph.math("ADD", coordinate, 7.0), 2 * scale_mm / 1000))
    return graph.math("GREATER_THAN", position, 0.5)
