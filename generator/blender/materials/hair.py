"""The hair shader."""

from __future__ import annotations

from typing import Any

from generator.blender.materials.nodes import material, opaque
from generator.components.hair_colour import HairColour
from generator.hair.scattering import BLEACHED, GREY_PIGMENT, RADIAL_ROUGHNESS, TONES, inner_colour

LIGHT = 0.55
"""Reflectance from which hair is light: what it looks like is decided by light that goes through many strands."""


def hair_material(name: str, colour: HairColour, roughness: float = 0.28) -> Any:
    """The hair shader. Strands differ by `shade` (some are grey), locks by `tone`; roots are darker, dye leaves them.

    Dye lies on bleached hair: little melanin, and the shader's tint. Dark strands that light meets before
    another hit on its way to the camera scatter evenly to all sides, and are of one colour.
    """
    made, graph = material(name)
    shade, along = graph.attribute("shade").outputs["Fac"], graph.node("HairInfo").outputs["Intercept"]
    grey = graph.math("LESS_THAN", shade, colour.grey * (1 - colour.dyed))
    lock = graph.attribute("tone").outputs["Fac"]
    tone = graph.node("MapRange", {"Value": lock, "To Min": TONES[0], "To Max": TONES[1]})
    other = graph.math("FRACT", graph.math("MULTIPLY", shade, 37.0))
    spread = graph.node("MapRange", {"Value": other, "To Min": 0.92, "To Max": 1.08}).outputs[0]
    fade = graph.node("MapRange", {"Value": along, "To Min": 1.08, "To Max": 0.9}).outputs[0]
    varied = graph.math("MULTIPLY", graph.math("MULTIPLY", spread, tone.outputs[0]), fade)
    natural = graph.math("MULTIPLY", varied, colour.melanin, clamp=True)
    inputs: dict[str | int, Any] = {"Melanin": natural, "Melanin Redness": colour.redness}
    if colour.dyed > 0:
        reached = graph.math("MULTIPLY", graph.ramp(along, 0.0, 0.12), colour.dyed)
        bleached = graph.math("MULTIPLY", varied, BLEACHED)
        inputs["Melanin"] = graph.math(
            "ADD",
            graph.math("MULTIPLY", natural, graph.math("SUBTRACT", 1.0, reached)),
            graph.math("MULTIPLY", bleached, reached),
            clamp=True,
        )
        inputs["Tint"] = graph.mix(reached, (1.0, 1.0, 1.0, 1.0), (*colour.tint, 1.0))
    share = graph.math("SUBTRACT", 1.0, graph.math("MULTIPLY", grey, 1 - GREY_PIGMENT))
    inputs["Melanin"] = graph.math("MULTIPLY", inputs["Melanin"], share)
    inputs |= {"Roughness": roughness, "Radial Roughness": RADIAL_ROUGHNESS, "Random Roughness": 0.0}
    inputs |= {"Coat": 0.0, "IOR": 1.55}
    shader = graph.node("BsdfHairPrincipled", inputs, parametrization="MELANIN")
    inner = inner_colour(colour)
    surface = shader.outputs[0]
    if sum(inner) / 3 < LIGHT:
        mean: dict[str | int, Any] = {"Color": opaque(inner)}
        back, through = (graph.node(kind, mean).outputs[0] for kind in ("BsdfDiffuse", "BsdfTranslucent"))
        surface = graph.by_bounces(surface, graph.node("MixShader", {0: 0.5, 1: back, 2: through}).outputs[0], 1)
    graph.node("OutputMaterial", {"Surface": surface})
    return made
