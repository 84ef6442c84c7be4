"""The hair shader."""

from __future__ import annotations

from typing import Any

from generator.blender.materials.nodes import material
from generator.components.hair_colour import HairColour


def hair_material(name: str, colour: HairColour, roughness: float = 0.28) -> Any:
    """The hair shader. Strands differ by `shade` (some are grey), locks by `tone`; roots are darker, dye leaves them.

    Dye lies on bleached hair: little melanin, and the shader's tint.
    """
    made, graph = material(name)
    shade, along = graph.attribute("shade").outputs["Fac"], graph.node("HairInfo").outputs["Intercept"]
    grey = graph.math("LESS_THAN", shade, colour.grey * (1 - colour.dyed))
    tone = graph.node("MapRange", {"Value": graph.attribute("tone").outputs["Fac"], "To Min": 0.72, "To Max": 1.16})
    other = graph.math("FRACT", graph.math("MULTIPLY", shade, 37.0))
    spread = graph.node("MapRange", {"Value": other, "To Min": 0.92, "To Max": 1.08}).outputs[0]
    fade = graph.node("MapRange", {"Value": along, "To Min": 1.08, "To Max": 0.9}).outputs[0]
    varied = graph.math("MULTIPLY", graph.math("MULTIPLY", spread, tone.outputs[0]), fade)
    natural = graph.math("MULTIPLY", varied, colour.melanin, clamp=True)
    inputs: dict[str | int, Any] = {"Melanin": natural, "Melanin Redness": colour.redness}
    if colour.dyed > 0:
        reached = graph.math("MULTIPLY", graph.ramp(along, 0.0, 0.12), colour.dyed)
        bleached = graph.math("MULTIPLY", varied, 0.12)
        inputs["Melanin"] = graph.math(
            "ADD",
            graph.math("MULTIPLY", natural, graph.math("SUBTRACT", 1.0, reached)),
            graph.math("MULTIPLY", bleached, reached),
            clamp=True,
        )
        inputs["Tint"] = graph.mix(reached, (1.0, 1.0, 1.0, 1.0), (*colour.tint, 1.0))
    inputs["Melanin"] = graph.math(
        "MULTIPLY", inputs["Melanin"], graph.math("SUBTRACT", 1.0, graph.math("MULTIPLY", grey, 0.96))
    )
    inputs |= {"Roughness": roughness, "Radial Roughness": 0.3, "Coat": 0.0, "IOR": 1.55, "Random Roughness": 0.0}
    shader = graph.node("BsdfHairPrincipled", inputs, parametrization="MELANIN")
    graph.node("OutputMaterial", {"Surface": shader.outputs[0]})
    return made
