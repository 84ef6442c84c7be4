"""The skin shader: the vertices' albedo with mottling, freckles and pores on top, and some subsurface scattering."""

from __future__ import annotations

from typing import Any

from generator.blender.nodes import Graph, material
from generator.components.skin import SkinSpec


def skin_material(spec: SkinSpec) -> Any:
    """The material of the skin; reads the vertex attributes `albedo`, `base` and `lips`."""
    made, graph = material("skin")
    shift = graph.node("VectorMath", {0: graph.attribute("base").outputs["Vector"], 1: _offset(spec.seed)},
                       operation="ADD").outputs[0]  # fmt: skip
    colour = _mottled(graph, graph.attribute("albedo").outputs["Color"], shift, spec)
    shader = graph.node(
        "BsdfPrincipled",
        {
            "Base Color": colour,
            "Roughness": _roughness(graph, shift, spec),
            "Specular IOR Level": 0.36 - 0.10 * spec.melanin,
            "Subsurface Weight": 0.28,
            "Subsurface Radius": (0.0032, 0.0013, 0.0007),
            "Subsurface Scale": 1.0,
            "Normal": _bump(graph, shift, spec),
        },
        subsurface_method="RANDOM_WALK",
    )
    older = shader.inputs.get("Subsurface")
    if older is not None:  # before 4.0 the weight scales the radius too
        shader.inputs["Subsurface Radius"].default_value = [r / 0.28 for r in (0.0032, 0.0013, 0.0007)]
    graph.node("OutputMaterial", {"Surface": shader.outputs[0]})
    return made


def _offset(seed: int) -> tuple[float, float, float]:
    """Another place in the noise for every seed, metres."""
    return (seed % 97 * 0.31, seed // 97 % 89 * 0.29, seed // 8633 % 83 * 0.37)


def noise(graph: Graph, vector: Any, size: float, detail: float = 2.0) -> Any:
    """Noise around 0.5 with features of about `size` metres."""
    inputs: dict[str | int, Any] = {"Vector": vector, "Scale": 1.0 / size, "Detail": detail, "Roughness": 0.6}
    return graph.node("TexNoise", inputs).outputs[0]


def _mottled(graph: Graph, albedo: Any, vector: Any, spec: SkinSpec) -> Any:
    """Blotches of 20 mm, mottling of 2 to 6 mm, specks of about 1 mm, freckles.

    Darker skin reflects less of its own colour under the same sheen, so its texture needs more contrast to be seen.
    """
    amount = spec.mottling * (1 + 0.7 * spec.melanin)
    colour = albedo
    for size, low, tint in (
        (0.022, 0.10, (0.80, 0.62, 0.60)),
        (0.0060, 0.18, (0.78, 0.62, 0.58)),
        (0.0026, 0.18, (0.72, 0.60, 0.55)),
        (0.0012, 0.12, (0.70, 0.58, 0.53)),
    ):
        field = graph.ramp(noise(graph, vector, size), 0.35, 0.72)
        colour = graph.mix(graph.math("MULTIPLY", field, min(4 * low * amount, 1.0)), colour, (*tint, 1.0), "MULTIPLY")
    cells = graph.node("TexVoronoi", {"Vector": vector, "Scale": 1 / 0.0055}).outputs["Distance"]
    gate = graph.ramp(noise(graph, vector, 0.03), 0.62 - 0.3 * spec.freckles, 0.75)
    spots = graph.math("MULTIPLY", graph.math("SUBTRACT", 1.0, graph.ramp(cells, 0.12, 0.34)), gate)
    strength = graph.math("MULTIPLY", spots, min(0.15 + 0.75 * spec.freckles, 1.0))
    return graph.mix(strength, colour, (0.52, 0.34, 0.26, 1.0), "MULTIPLY")


def _roughness(graph: Graph, vector: Any, spec: SkinSpec) -> Any:
    """Oilier in spots, moist lips."""
    spotty = graph.math("MULTIPLY", graph.math("SUBTRACT", noise(graph, vector, 0.004), 0.5), 0.25)
    dry = graph.math("ADD", spotty, spec.roughness)
    wet = graph.math("MULTIPLY", graph.attribute("lips").outputs["Fac"], -0.10)
    return graph.math("ADD", dry, wet)


def _bump(graph: Graph, vector: Any, spec: SkinSpec) -> Any:
    """Pores of about 0.5 mm and fine lines of about 2 mm, as a height in metres."""
    pores = graph.node("TexVoronoi", {"Vector": vector, "Scale": 1 / 0.0009}).outputs["Distance"]
    fine = noise(graph, vector, 0.0006, 3.0)
    lines = noise(graph, vector, 0.0028, 3.0)
    height = graph.math("ADD", graph.math("MULTIPLY", pores, 0.6), graph.math("MULTIPLY", lines, 1.8))
    height = graph.math("ADD", height, graph.math("MULTIPLY", fine, 0.45))
    bump = graph.node("Bump", {"Strength": 1.0, "Distance": 0.00006 * spec.pores / 0.6, "Height": height})
    return bump.outputs[0]


def mouth_material(name: str) -> Any:
    """Teeth or tongue."""
    made, graph = material(name)
    colour = (0.62, 0.55, 0.44, 1.0) if name == "teeth" else (0.42, 0.12, 0.11, 1.0)
    shader = graph.node("BsdfPrincipled", {"Base Color": colour, "Roughness": 0.25 if name == "teeth" else 0.4,
                                           "Specular IOR Level": 0.5})  # fmt: skip
    graph.node("OutputMaterial", {"Surface": shader.outputs[0]})
    return made
