"""Cloth, knit, felt, straw and silk of headwear."""

from __future__ import annotations

from typing import Any

from generator.blender.materials.nodes import Graph, material, opaque
from generator.components.headwear import HeadwearSpec

ROUGHNESS = {"cotton": 0.85, "knit": 0.95, "felt": 0.95, "straw": 0.6, "silk": 0.38}


def headwear_material(spec: HeadwearSpec, trim: bool = False) -> Any:
    """The material of a hat, or of its band; reads the vertex attributes `base` and `around`."""
    made, graph = material("headwear trim" if trim else "headwear")
    base = graph.attribute("base").outputs["Vector"]
    axes = graph.node("SeparateXYZ", {0: graph.attribute("around").outputs["Vector"]}).outputs
    angle, height = graph.math("ARCTAN2", axes[0], axes[1]), axes[2]
    colour = opaque(spec.accent) if trim else _pattern(graph, spec, base, angle, height)
    grain = _grain(graph, spec, base, angle, height)
    shade = graph.mix(grain, opaque((0.55, 0.55, 0.55)), opaque((1.3, 1.3, 1.3)))
    colour = graph.mix(0.3 if spec.fabric == "silk" else 0.75, colour, shade, "MULTIPLY")
    deep = {"knit": 0.0012, "straw": 0.0006, "silk": 0.0001}.get(spec.fabric, 0.0003)
    bump = graph.node("Bump", {"Strength": 1.0, "Distance": deep, "Height": grain})
    sheen = 0.0 if spec.fabric in ("straw", "silk") else 0.25
    shader = graph.node(
        "BsdfPrincipled",
        {
            "Base Color": colour,
            "Roughness": ROUGHNESS[spec.fabric],
            "Specular IOR Level": 0.25,
            "Sheen Weight": sheen,
            "Normal": bump.outputs[0],
        },
    )
    far = graph.node("BsdfDiffuse", {"Color": opaque(_mean_colour(spec, trim))})
    graph.node("OutputMaterial", {"Surface": graph.by_distance(shader.outputs[0], far.outputs[0])})
    return made


def _mean_colour(spec: HeadwearSpec, trim: bool) -> tuple[float, float, float]:
    """The colour that headwear has to other surfaces: of half of each where it is patterned."""
    if trim or spec.pattern == "plain":
        return spec.accent if trim else spec.colour
    red, green, blue = ((ground + accent) / 2 for ground, accent in zip(spec.colour, spec.accent, strict=True))
    return red, green, blue


def _noise(graph: Graph, vector: Any, size: float, detail: float = 2.0) -> Any:
    return graph.node("TexNoise", {"Vector": vector, "Scale": 1 / size, "Detail": detail}).outputs["Fac"]


def _wave(graph: Graph, value: Any, period: float) -> Any:
    """0 to 1, a sine of a period."""
    sine = graph.math("SINE", graph.math("MULTIPLY", value, 6.2832 / period))
    return graph.math("ADD", graph.math("MULTIPLY", sine, 0.5), 0.5)


def _grain(graph: Graph, spec: HeadwearSpec, base: Any, angle: Any, height: Any) -> Any:
    """The height of threads, 0 to 1."""
    fine = _noise(graph, base, 0.0012, 3.0)
    if spec.fabric == "knit":
        stitches = graph.math(
            "MULTIPLY",
            _wave(graph, angle, 0.055),
            graph.math("ADD", 0.7, graph.math("MULTIPLY", _wave(graph, height, 0.004), 0.3)),
        )
        return graph.math("ADD", graph.math("MULTIPLY", stitches, 0.8), graph.math("MULTIPLY", fine, 0.3))
    if spec.fabric == "straw":
        woven = graph.math("MULTIPLY", _wave(graph, angle, 0.05), _wave(graph, height, 0.0045))
        return graph.math("ADD", graph.math("MULTIPLY", woven, 0.8), graph.math("MULTIPLY", fine, 0.35))
    return fine


def _pattern(graph: Graph, spec: HeadwearSpec, base: Any, angle: Any, height: Any) -> Any:
    """The two colours as stripes around, checks, melange or print, or the first alone."""
    ground, accent = opaque(spec.colour), opaque(spec.accent)
    size = spec.scale_mm / 1000
    if spec.pattern == "stripes":
        return graph.mix(graph.math("GREATER_THAN", _wave(graph, height, 2 * size), 0.5), ground, accent)
    if spec.pattern == "checks":
        turns = 6.2832 / max(round(6.2832 * 0.09 / (2 * size)), 1)
        level = graph.math("GREATER_THAN", _wave(graph, height, 2 * size), 0.5)
        both = graph.math("ADD", level, graph.math("GREATER_THAN", _wave(graph, angle, turns), 0.5))
        return graph.mix(graph.math("MULTIPLY", both, 0.5), ground, accent)
    if spec.pattern == "melange":
        return graph.mix(graph.ramp(_noise(graph, base, 0.003, 4.0), 0.4, 0.62), ground, accent)
    if spec.pattern == "print":
        cells = graph.node("TexVoronoi", {"Vector": base, "Scale": 1 / size}).outputs["Distance"]
        rings = graph.math("GREATER_THAN", _wave(graph, cells, 0.33), 0.55)
        return graph.mix(rings, ground, accent)
    return graph.mix(0.0, ground, ground)
