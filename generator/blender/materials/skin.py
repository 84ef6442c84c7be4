"""The skin shader: the vertices' albedo or a texture, under mottling, spots, pores and lines; light scatters below.

Texture finer than a pixel is left out, and the light that skin sends to other surfaces has its mean colour: its many
nodes are evaluated at every hit, and three times under the bump.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from generator.blender.materials.nodes import Graph, material
from generator.blender.materials.texture_images import opaque_image
from generator.components.skin import SkinSpec

RADIUS = (0.0032, 0.0013, 0.0007)  # metres that red, green and blue light travels below the fairest skin
WEIGHT = 0.28
PORE = 0.0011  # metres from pore to pore
CELL = 0.013  # metres between places where a mole or a spot may be


def skin_material(spec: SkinSpec, texture: Path | None = None, pixel: float = 0.0) -> Any:
    """The material of the skin.

    Reads the vertex attributes `albedo` (with a texture: what it is multiplied with), `base`, and `relief` and `marks`
    of `generator.skin.relief.relief_fields`.

    Args:
        spec: parameters.
        texture: an image for the UV layer "UVMap"; it replaces the procedural tone.
        pixel: metres that a pixel of the finest camera covers.

    Raises:
        InputError: the texture can't be read.
    """
    made, graph = material("skin")
    place = graph.node(
        "VectorMath", {0: graph.attribute("base").outputs["Vector"], 1: _offset(spec.seed)}, operation="ADD"
    ).outputs[0]
    albedo = graph.attribute("albedo").outputs["Color"]
    amount = spec.mottling * (1 + 0.7 * spec.melanin) * (1 - 0.6 * spec.makeup.foundation)
    if texture is not None:
        albedo, amount = graph.mix(1.0, _image(graph, texture), albedo, "MULTIPLY"), 0.5 * amount
    relief = graph.node("SeparateXYZ", {0: graph.attribute("relief").outputs["Vector"]}).outputs
    lips, lines, patches = graph.node("SeparateXYZ", {0: graph.attribute("marks").outputs["Vector"]}).outputs
    pits, groove = _pits(graph, place), _groove(graph, lines)
    colour = _mottled(graph, albedo, place, amount, spec.melanin, pixel)
    colour = _dotted(graph, colour, place, patches, spec, pixel)
    colour = graph.mix(
        graph.math("MULTIPLY", graph.math("MULTIPLY", pits, relief[0]), min(0.9 * amount, 1.0)),
        colour,
        (0.60, 0.50, 0.46, 1.0),
        "MULTIPLY",
    )
    lined = graph.math("MULTIPLY", graph.math("MULTIPLY", groove, relief[2]), 0.35 * spec.wrinkles)
    colour = graph.mix(lined, colour, (0.62, 0.45, 0.42, 1.0), "MULTIPLY")
    reach = tuple(r * (1 - 0.55 * spec.melanin) for r in RADIUS)  # pigment swallows light that has come far
    inputs: dict[str | int, Any] = {
        "Base Color": colour,
        "Roughness": _roughness(graph, place, relief[1], lips, spec, pixel),
        "Specular IOR Level": 0.36 - 0.10 * spec.melanin,
        "Subsurface Weight": WEIGHT,
        "Subsurface Radius": reach,
        "Subsurface Scale": 1.0,
        "Normal": _bump(graph, place, relief, pits, groove, spec, pixel),
    }
    shader = graph.node("BsdfPrincipled", inputs, subsurface_method="RANDOM_WALK")
    older = shader.inputs.get("Subsurface")
    if older is not None:  # before 4.0 the weight scales the radius too
        shader.inputs["Subsurface Radius"].default_value = [r / WEIGHT for r in reach]
    mean = (*_mean_mottling(amount, spec.melanin), 1.0)
    far = graph.node("BsdfDiffuse", {"Color": graph.mix(1.0, albedo, mean, "MULTIPLY")})
    graph.node("OutputMaterial", {"Surface": graph.by_distance(shader.outputs[0], far.outputs[0])})
    return made


def _image(graph: Graph, path: Path) -> Any:
    """The colour of an image on the UV layer."""
    layer = graph.node("UVMap", uv_map="UVMap")
    return graph.node("TexImage", {"Vector": layer.outputs[0]}, image=opaque_image(path)).outputs["Color"]


def _offset(seed: int) -> tuple[float, float, float]:
    """Another place in the noise for every seed, metres."""
    return (seed % 97 * 0.31, seed // 97 % 89 * 0.29, seed // 8633 % 83 * 0.37)


def noise(graph: Graph, vector: Any, size: float, detail: float = 2.0, roughness: float = 0.6) -> Any:
    """Noise around 0.5 with features of about `size` metres."""
    inputs: dict[str | int, Any] = {"Vector": vector, "Scale": 1.0 / size, "Detail": detail, "Roughness": roughness}
    return graph.node("TexNoise", inputs).outputs[0]


def coarse_noise(
    graph: Graph, vector: Any, size: float, detail: int, pixel: float, roughness: float = 0.6
) -> tuple[Any, float]:
    """Noise without the octaves that are finer than a pixel, and the factor that its deviation from 0.5 grew by.

    Octave i has features of `size / 2**i` and weighs `roughness**i`; Cycles divides by the sum of the weights.
    """
    kept = min(detail, max(0, math.floor(math.log2(size / pixel)))) if pixel else detail
    grown = sum(roughness**i for i in range(detail + 1)) / sum(roughness**i for i in range(kept + 1))
    return noise(graph, vector, size, float(kept), roughness), grown


def _blotches(amount: float, melanin: float) -> list[tuple[float, float, tuple[float, float, float]]]:
    """Size, strength and tint of uneven blood and of uneven pigment."""
    rows = ((0.010, 0.75 - 0.35 * melanin, (0.86, 0.62, 0.60)), (0.0045, 0.42 + 0.16 * melanin, (0.66, 0.57, 0.50)))
    return [(size, min(share * amount, 1.0), tint) for size, share, tint in rows]


def _mean_mottling(amount: float, melanin: float) -> tuple[float, float, float]:
    """The factor by which mottling darkens skin on average: its fields are near a half."""
    factors = [[1 - 0.5 * strength * (1 - part) for part in tint] for _, strength, tint in _blotches(amount, melanin)]
    red, green, blue = (first * second for first, second in zip(*factors, strict=True))
    return red, green, blue


def _mottled(graph: Graph, albedo: Any, place: Any, amount: float, melanin: float, pixel: float) -> Any:
    """Uneven blood and uneven pigment, each over all sizes from 10 mm down to half a millimetre.

    Blood shows through fair skin, pigment is what dark skin has more of.

    Darker skin reflects less of its own colour under the same sheen, so its texture needs more contrast to be seen.
    """
    colour = albedo
    for size, most, tint in _blotches(amount, melanin):
        field, grown = coarse_noise(graph, place, size, 5, pixel, 0.8)
        field = graph.ramp(field, 0.5 - 0.14 * grown, 0.5 + 0.18 * grown)
        strength = graph.math("MULTIPLY", field, most)
        colour = graph.mix(strength, colour, (*tint, 1.0), "MULTIPLY")
    return colour


def _dotted(graph: Graph, colour: Any, place: Any, patches: Any, spec: SkinSpec, pixel: float) -> Any:
    """Freckles in patches; moles, age spots and blemishes, at most one per cell of 13 mm."""
    bare = 1 - 0.7 * spec.makeup.foundation
    cells = graph.node("TexVoronoi", {"Vector": place, "Scale": 1 / 0.0055}).outputs["Distance"]
    gate = graph.ramp(patches, 0.62 - 0.3 * spec.freckles, 0.75)
    dots = graph.math("MULTIPLY", graph.math("SUBTRACT", 1.0, graph.ramp(cells, 0.12, 0.34)), gate)
    strength = graph.math("MULTIPLY", dots, min(bare * (0.08 + 0.8 * spec.freckles), 1.0))
    colour = graph.mix(strength, colour, (0.52, 0.34, 0.26, 1.0), "MULTIPLY")
    node = graph.node("TexVoronoi", {"Vector": place, "Scale": 1 / CELL})
    chance, size, _ = graph.node("SeparateXYZ", {0: node.outputs["Color"]}).outputs
    field, grown = coarse_noise(graph, place, 0.0015, 2, pixel)
    ragged = graph.math("MULTIPLY", graph.math("SUBTRACT", field, 0.5), 0.12 / grown)
    distance = graph.math("ADD", node.outputs["Distance"], ragged)
    start = 0.0
    for share, low, high, edge, tint in (
        (0.07 * spec.moles, 0.03, 0.08, 0.03, (0.24, 0.15, 0.12)),
        (0.35 * spec.age_spots * bare, 0.10, 0.28, 0.08, (0.66, 0.50, 0.40)),
        (0.16 * spec.blemishes * bare, 0.05, 0.14, 0.12, (0.88, 0.50, 0.46)),
    ):
        chosen = graph.math(
            "MULTIPLY", graph.math("GREATER_THAN", chance, start), graph.math("LESS_THAN", chance, start + share)
        )
        radius = graph.math("ADD", graph.math("MULTIPLY", size, high - low), low)
        inside = graph.ramp(graph.math("SUBTRACT", distance, radius), edge, -edge)
        colour = graph.mix(graph.math("MULTIPLY", chosen, inside), colour, (*tint, 1.0), "MULTIPLY")
        start += share
    return colour


def _roughness(graph: Graph, place: Any, oil: Any, lips: Any, spec: SkinSpec, pixel: float) -> Any:
    """Oilier in spots and where the fat is, moist lips, dry powder."""
    field, grown = coarse_noise(graph, place, 0.004, 2, pixel)
    spotty = graph.math("MULTIPLY", graph.math("SUBTRACT", field, 0.5), 0.2 / grown)
    dry = graph.math("ADD", spotty, min(spec.roughness + 0.1 * spec.makeup.foundation, 1.0))
    fat = graph.math("MULTIPLY", oil, -0.14 * spec.oil)
    wet = graph.math("MULTIPLY", lips, -0.08 - 0.12 * spec.makeup.lipstick)
    return graph.math("ADD", graph.math("ADD", dry, fat), wet)


def _pits(graph: Graph, place: Any) -> Any:
    """1 in the middle of a pore, 0 between them; they are a millimetre apart."""
    cells = graph.node("TexVoronoi", {"Vector": place, "Scale": 1 / PORE}).outputs["Distance"]
    return graph.math("SUBTRACT", 1.0, graph.ramp(cells, 0.05, 0.42))


def _groove(graph: Graph, lines: Any) -> Any:
    """1 in the middle of a line of age, 0 between the lines: near whole numbers of their phase."""
    off = graph.math("ABSOLUTE", graph.math("SUBTRACT", graph.math("FRACT", graph.math("ADD", lines, 100.5)), 0.5))
    return graph.math("SUBTRACT", 1.0, graph.ramp(off, 0.0, 0.24))


def _bump(graph: Graph, place: Any, relief: Any, pits: Any, groove: Any, spec: SkinSpec, pixel: float) -> Any:
    """Height in metres: pores, fine relief of half a millimetre, soft lines of 3 mm, lines of age.

    It is evaluated three times; what pixels are too large to show a slope of is left out.
    """
    deep = 0.0001 * spec.pores
    height = graph.math("MULTIPLY", graph.math("MULTIPLY", groove, relief[2]), -0.0005 * spec.wrinkles)
    if 2 * pixel < PORE:
        pores = graph.math("MULTIPLY", graph.math("MULTIPLY", pits, relief[0]), -deep)
        height = graph.math("ADD", height, pores)
    for size, metres in ((0.0006, 0.3 * deep), (0.0030, 1.1 * deep)):
        if pixel < size:
            field, grown = coarse_noise(graph, place, size, 3, pixel)
            height = graph.math("ADD", height, graph.math("MULTIPLY", field, metres / grown))
    return graph.node("Bump", {"Strength": 1.0, "Distance": 1.0, "Height": height}).outputs[0]
