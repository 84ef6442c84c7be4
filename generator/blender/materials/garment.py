"""Fabric: colour, pattern, weave."""

from __future__ import annotations

from typing import Any

from generator.blender.materials.nodes import Graph, grey, material, opaque
from generator.blender.materials.skin import noise
from generator.components.garment import GarmentSpec

# Roughness, sheen, specular, size of the weave in metres, height of its relief in metres, contrast of its shade.
_FABRICS: dict[str, tuple[float, float, float, float, float, float]] = {
    "jersey": (0.85, 0.25, 0.2, 0.0011, 0.00025, 0.5),
    "knit": (0.9, 0.35, 0.15, 0.0042, 0.0011, 0.55),
    "denim": (0.8, 0.1, 0.2, 0.0012, 0.0003, 0.75),
    "wool": (0.95, 0.5, 0.1, 0.0024, 0.0006, 0.6),
    "leather": (0.42, 0.0, 0.5, 0.0030, 0.0003, 0.25),
    "satin": (0.32, 0.2, 0.5, 0.0007, 0.00006, 0.12),
}


def garment_material(spec: GarmentSpec) -> Any:
    """The material of a garment; reads the vertex attributes `fabric` and `collar`."""
    made, graph = material("garment")
    weave = graph.attribute("fabric").outputs["Vector"]
    rib = graph.attribute("collar").outputs["Fac"]
    colour = graph.mix(graph.math("MULTIPLY", rib, 0.85), _pattern(graph, weave, spec), opaque(spec.colour))
    _fabric(graph, weave, colour, spec.fabric, rib, _mean_colour(spec))
    return made


def inner_material(spec: GarmentSpec) -> Any:
    """The material below a jacket or a scarf: plain jersey."""
    made, graph = material("garment inner")
    weave = graph.attribute("fabric").outputs["Vector"]
    _fabric(
        graph,
        weave,
        graph.mix(0.0, opaque(spec.inner), opaque(spec.inner)),
        "jersey",
        graph.attribute("collar").outputs["Fac"],
        spec.inner,
    )
    return made


def trim_material(spec: GarmentSpec) -> Any:
    """Buttons and strings."""
    return _plain("garment trim", opaque(spec.inner), 0.4, 0.0)


def metal_material(spec: GarmentSpec) -> Any:
    """Zips."""
    return _plain("garment metal", grey(0.35 if spec.seed % 2 else 0.09), 0.35, 0.9)


def _plain(name: str, colour: Any, roughness: float, metallic: float) -> Any:
    made, graph = material(name)
    shader = graph.node("BsdfPrincipled", {"Base Color": colour, "Roughness": roughness, "Metallic": metallic})
    graph.node("OutputMaterial", {"Surface": shader.outputs[0]})
    return made


def _mean_colour(spec: GarmentSpec) -> tuple[float, float, float]:
    """The colour that a garment has from afar: of half of each where it is patterned."""
    if spec.pattern == "plain":
        return spec.colour
    red, green, blue = ((ground + accent) / 2 for ground, accent in zip(spec.colour, spec.accent, strict=True))
    return red, green, blue


def _fabric(graph: Graph, weave: Any, colour: Any, fabric: str, rib: Any, mean: tuple[float, float, float]) -> None:
    """The shader of a fabric of a colour, which looks like its mean colour to other surfaces."""
    roughness, sheen, specular, size, relief, contrast = _FABRICS[fabric]
    u, v, _ = graph.node("SeparateXYZ", {0: weave}).outputs
    shade = _threads(graph, u, v, weave, fabric, size)
    fuzz = noise(graph, weave, 0.0009, 2.0)
    worn = noise(graph, weave, 0.018, 3.0)
    shade = graph.math("ADD", graph.math("MULTIPLY", shade, 0.6), graph.math("MULTIPLY", fuzz, 0.4))
    bright = graph.math("ADD", graph.math("MULTIPLY", shade, 0.75), graph.math("MULTIPLY", worn, 0.25))
    tone = graph.mix(bright, grey(1 - contrast), grey(1 + contrast))
    colour = graph.mix(1.0, colour, tone, "MULTIPLY")
    ribs = graph.math("SINE", graph.math("MULTIPLY", u, 6.2832 / 0.0036))
    height = graph.math(
        "ADD",
        graph.math("MULTIPLY", shade, relief / 0.001),
        graph.math("MULTIPLY", graph.math("MULTIPLY", ribs, rib), 0.35),
    )
    bump = graph.node("Bump", {"Strength": 1.0, "Distance": 0.001, "Height": height})
    shader = graph.node(
        "BsdfPrincipled",
        {
            "Base Color": colour,
            "Roughness": roughness,
            "Specular IOR Level": specular,
            "Sheen Weight": sheen,
            "Normal": bump.outputs[0],
        },
    )
    far = graph.node("BsdfDiffuse", {"Color": opaque(mean)})
    graph.node("OutputMaterial", {"Surface": graph.by_distance(shader.outputs[0], far.outputs[0])})


def _threads(graph: Graph, u: Any, v: Any, weave: Any, fabric: str, size: float) -> Any:
    """0 to 1, the relief of the weave."""
    if fabric in ("leather", "wool"):
        cells = graph.node("TexVoronoi", {"Vector": weave, "Scale": 1 / size}).outputs["Distance"]
        return cells if fabric == "leather" else noise(graph, weave, size, 3.0)
    if fabric == "denim":  # twill: diagonal ribs
        return _wave(graph, graph.math("ADD", u, graph.math("MULTIPLY", v, 0.7)), size)
    if fabric == "knit":  # columns of stitches that lean left and right
        lean = graph.math("PINGPONG", u, size)
        slanted = graph.math("ADD", v, graph.math("MULTIPLY", lean, 0.8))
        return graph.math("MULTIPLY", _wave(graph, u, 2 * size), _wave(graph, slanted, 0.7 * size))
    return graph.math("MULTIPLY", _wave(graph, u, size), _wave(graph, v, size))


def _wave(graph: Graph, coordinate: Any, length: float) -> Any:
    """A sine of a wavelength in metres, between 0 and 1."""
    wave = graph.math("SINE", graph.math("MULTIPLY", coordinate, 6.2832 / length))
    return graph.math("ADD", graph.math("MULTIPLY", wave, 0.5), 0.5)


def _pattern(graph: Graph, weave: Any, spec: GarmentSpec) -> Any:
    """The two colours in a pattern, or the first alone."""
    ground, accent = opaque(spec.colour), opaque(spec.accent)
    size = spec.scale_mm / 1000
    u, v, _ = graph.node("SeparateXYZ", {0: weave}).outputs
    if spec.pattern == "melange":
        return graph.mix(graph.ramp(noise(graph, weave, 0.0035, 4.0), 0.4, 0.62), ground, accent)
    if spec.pattern == "stripes":
        return graph.mix(_band(graph, v, size, 0.35 + 0.3 * (spec.seed % 7) / 6), ground, accent)
    if spec.pattern == "checks":
        both = graph.math("ADD", _band(graph, v, size), _band(graph, u, size))
        return graph.mix(graph.math("MULTIPLY", both, 0.5), ground, accent)
    if spec.pattern == "tartan":
        broad = graph.math("ADD", _band(graph, v, 2.2 * size), _band(graph, u, 2.2 * size))
        fine = graph.math("MAXIMUM", _band(graph, v, 1.1 * size, 0.08), _band(graph, u, 1.1 * size, 0.08))
        return graph.mix(fine, graph.mix(graph.math("MULTIPLY", broad, 0.4), ground, accent), grey(0.6))
    if spec.pattern == "dots":
        cells = graph.node("TexVoronoi", {"Vector": weave, "Scale": 0.8 / size, "Randomness": 0.0})
        return graph.mix(graph.ramp(cells.outputs["Distance"], 0.30, 0.24), ground, accent)
    if spec.pattern == "floral":
        bent = graph.mix(0.06, weave, graph.node("TexNoise", {"Vector": weave, "Scale": 0.7 / size}).outputs[1], "ADD")
        cells = graph.node("TexVoronoi", {"Vector": bent, "Scale": 0.5 / size})
        heads = graph.ramp(cells.outputs["Distance"], 0.36, 0.28)
        leaves = graph.ramp(noise(graph, weave, 0.5 * size, 1.0), 0.6, 0.64)
        return graph.mix(heads, graph.mix(leaves, ground, (0.05, 0.12, 0.04, 1.0)), accent)
    return graph.mix(0.0, ground, ground)


def _band(graph: Graph, coordinate: Any, width: float, share: float = 0.5) -> Any:
    """1 on a share of every stretch of twice the width, metres."""
    position = graph.math("FRACT", graph.math("DIVIDE", graph.math("ADD", coordinate, 7.0), 2 * width))
    return graph.math("GREATER_THAN", position, 1 - share)
