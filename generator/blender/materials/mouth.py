"""Teeth with gums, and the tongue."""

from __future__ import annotations

import math
from typing import Any

from generator.blender.materials.nodes import Graph, material, opaque
from generator.blender.materials.skin import noise

# The dental arch on the mean head, metres: half its width, its depth, and where it ends at the back.
ARCH = (0.034, 0.048, 0.028)
TEETH = 8  # on each side
GUMS = (-0.059, -0.072)  # heights above and below which the gums begin


def mouth_material(name: str) -> Any:
    """Teeth or tongue; reads the vertex attribute `base`."""
    made, graph = material(name)
    base = graph.attribute("base").outputs["Vector"]
    inputs = _teeth(graph, base) if name == "teeth" else _tongue(graph, base)
    graph.node("OutputMaterial", {"Surface": graph.node("BsdfPrincipled", inputs).outputs[0]})
    return made


def _teeth(graph: Graph, base: Any) -> dict[str | int, Any]:
    """Crowns side by side along the arch, yellower towards the neck, in wet gums."""
    x, y, z = graph.node("SeparateXYZ", {0: base}).outputs
    width, depth, back = ARCH
    across, ahead = graph.math("DIVIDE", x, width), graph.math("DIVIDE", graph.math("SUBTRACT", back, y), depth)
    along = graph.math("MULTIPLY", graph.math("ARCTAN2", across, ahead), TEETH / (math.pi / 2))
    off = graph.math("ABSOLUTE", graph.math("SUBTRACT", graph.math("FRACT", graph.math("ADD", along, 100.5)), 0.5))
    gap = graph.math("SUBTRACT", 1.0, graph.ramp(off, 0.02, 0.10))
    scallop = graph.math("MULTIPLY", graph.math("POWER", off, 2.0), 0.012)  # gums reach down between the teeth
    over = graph.ramp(graph.math("ADD", z, graph.math("MULTIPLY", scallop, -1.0)), GUMS[0] - 0.004, GUMS[0] - 0.002)
    under = graph.ramp(graph.math("ADD", z, scallop), GUMS[1] + 0.001, GUMS[1] - 0.001)
    gum = graph.math("MAXIMUM", over, under)
    middle = (GUMS[0] + GUMS[1]) / 2
    neck = graph.ramp(graph.math("ABSOLUTE", graph.math("SUBTRACT", z, middle)), 0.002, 0.008)
    crown = graph.mix(neck, opaque((0.60, 0.56, 0.48)), opaque((0.50, 0.42, 0.30)))
    crown = graph.mix(graph.math("MULTIPLY", gap, 0.75), crown, opaque((0.12, 0.06, 0.05)))
    flesh = graph.mix(
        graph.ramp(noise(graph, base, 0.004), 0.35, 0.7), opaque((0.45, 0.16, 0.15)), opaque((0.36, 0.10, 0.10))
    )
    height = graph.math("MULTIPLY", gap, -0.0004)
    bump = graph.node("Bump", {"Strength": 1.0, "Distance": 1.0, "Height": height}).outputs[0]
    return {"Base Color": graph.mix(gum, crown, flesh), "Roughness": 0.2, "Specular IOR Level": 0.5, "Normal": bump}


def _tongue(graph: Graph, base: Any) -> dict[str | int, Any]:
    """Rough with papillae, whitish in places, a groove along the middle."""
    coat = graph.ramp(noise(graph, base, 0.0012, 3.0), 0.35, 0.7)
    middle = graph.ramp(graph.math("ABSOLUTE", graph.node("SeparateXYZ", {0: base}).outputs[0]), 0.0, 0.003)
    height = graph.math("ADD", graph.math("MULTIPLY", coat, 0.0003), graph.math("MULTIPLY", middle, 0.0008))
    bump = graph.node("Bump", {"Strength": 1.0, "Distance": 1.0, "Height": height}).outputs[0]
    colour = graph.mix(coat, opaque((0.42, 0.13, 0.12)), opaque((0.50, 0.22, 0.20)))
    return {"Base Color": colour, "Roughness": 0.35, "Specular IOR Level": 0.5, "Normal": bump}
