"""Spectacles, lenses and earrings."""

from __future__ import annotations

from typing import Any

from generator.blender.materials.nodes import Graph, material, opaque
from generator.components.eyewear import EyewearSpec
from generator.components.jewellery import METALS, JewellerySpec

GLASS_IOR = 1.5
COATED, TINTED = 0.25, 0.6
"""Share of bare glass's reflection that is left: coated spectacles reflect some 1 % of light a surface, not 4 %."""


def spectacles_material(spec: EyewearSpec) -> Any:
    """Metal, acetate or tortoise-shell acetate; reads the vertex attribute `base`."""
    made, graph = material("spectacles")
    if spec.finish == "metal":
        inputs: dict[str | int, Any] = {"Base Color": opaque(spec.colour), "Metallic": 1.0, "Roughness": 0.22}
    else:
        colour = _tortoise(graph) if spec.finish == "tortoise" else opaque(spec.colour)
        inputs = {
            "Base Color": colour,
            "Roughness": 0.28,
            "Specular IOR Level": 0.5,
            "Coat Weight": 0.4,
            "Coat Roughness": 0.08,
        }
    graph.node("OutputMaterial", {"Surface": graph.node("BsdfPrincipled", inputs).outputs[0]})
    return made


def _tortoise(graph: Graph) -> Any:
    """Amber with dark brown flames."""
    base = graph.attribute("base").outputs["Vector"]
    spots = graph.node("TexNoise", {"Vector": base, "Scale": 130.0, "Detail": 2.0, "Distortion": 1.2}).outputs["Fac"]
    return graph.mix(graph.ramp(spots, 0.42, 0.58), opaque((0.30, 0.11, 0.025)), opaque((0.022, 0.010, 0.006)))


def lens_material(spec: EyewearSpec) -> Any:
    """Glass, clear or tinted.

    What the camera sees refracts and reflects. All other light passes straight through, tinted: caustics are off, so
    that eyes behind real glass would stay dark.
    """
    made, graph = material("lens")
    path = graph.node("LightPath").outputs
    red, green, blue = (max(share, 0.0) ** 0.5 for share in spec.tint)  # light crosses two surfaces
    once = opaque((red, green, blue))
    refract = graph.node("BsdfRefraction", {"Color": once, "Roughness": 0.0, "IOR": GLASS_IOR}).outputs[0]
    reflect = graph.node("BsdfGlossy", {"Color": opaque((1.0, 1.0, 1.0)), "Roughness": 0.0}).outputs[0]
    coating = COATED if min(spec.tint) > 0.5 else TINTED
    fresnel = graph.math("MULTIPLY", graph.node("Fresnel", {"IOR": GLASS_IOR}).outputs[0], coating)
    glass = graph.node("MixShader", {0: fresnel, 1: refract, 2: reflect}).outputs[0]
    through = graph.node("BsdfTransparent", {"Color": once}).outputs[0]
    seen = graph.math("ADD", path["Is Camera Ray"], path["Is Transmission Ray"], clamp=True)
    shown = graph.node("MixShader", {0: seen, 1: through, 2: glass}).outputs[0]
    graph.node("OutputMaterial", {"Surface": shown})
    return made


def jewellery_metal_material(spec: JewellerySpec) -> Any:
    """Polished metal."""
    made, graph = material("jewellery metal")
    inputs: dict[str | int, Any] = {"Base Color": opaque(METALS[spec.metal]), "Metallic": 1.0, "Roughness": 0.18}
    shader = graph.node("BsdfPrincipled", inputs)
    graph.node("OutputMaterial", {"Surface": shader.outputs[0]})
    return made


def gem_material(spec: JewellerySpec) -> Any:
    """A stone, a bead or a pearl: opaque under a clear coat."""
    made, graph = material("jewellery gem")
    shader = graph.node(
        "BsdfPrincipled",
        {
            "Base Color": opaque(spec.gem),
            "Roughness": 0.12,
            "Specular IOR Level": 0.8,
            "Coat Weight": 0.8,
            "Coat Roughness": 0.03,
        },
    )
    graph.node("OutputMaterial", {"Surface": shader.outputs[0]})
    return made
