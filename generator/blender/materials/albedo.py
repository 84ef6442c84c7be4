"""Every material turned into one that shines with its own base colour, for the ground truth."""

from __future__ import annotations

from typing import Any

import bpy

from generator.blender.compat import light_nothing, socket
from generator.blender.materials.nodes import Graph
from generator.blender.materials.proxy import see_through
from generator.hair.scattering import EUMELANIN, PHEOMELANIN, albedo_exponent

_BLACK = (0.0, 0.0, 0.0, 1.0)


def emit_albedo() -> None:
    """Let all materials emit their linear base colour; the scene is good for nothing else afterwards."""
    for material in bpy.data.materials:
        if not material.use_nodes:
            continue
        outputs = [node for node in material.node_tree.nodes if node.bl_idname == "ShaderNodeOutputMaterial"]
        if not outputs:
            continue
        graph = Graph(material.node_tree, keep=True)
        surface = outputs[0].inputs["Surface"]
        colour = _colour(graph, surface.links[0].from_node) if surface.is_linked else _BLACK
        shader = graph.node("Emission", {"Color": colour, "Strength": 1.0})
        graph.put(surface, see_through(graph, shader.outputs[0]))
        light_nothing(material)


def _colour(graph: Graph, shader: Any) -> Any:
    """Socket or value of a shader's base colour; what has none is black."""
    if shader.bl_idname in ("ShaderNodeMixShader", "ShaderNodeAddShader"):
        mixed = shader.bl_idname == "ShaderNodeMixShader"
        shaders = [end.links[0].from_node for end in shader.inputs if end.type == "SHADER" and end.is_linked]
        ends = [_colour(graph, end) for end in shaders if end.bl_idname != "ShaderNodeBsdfTransparent"]
        if len(ends) < 2:
            return ends[0] if ends else _BLACK
        factor, how = (_source(shader.inputs["Fac"]), "MIX") if mixed else (1.0, "ADD")
        return graph.mix(factor, ends[0], ends[1], how)
    if shader.bl_idname == "ShaderNodeBsdfHairPrincipled" and shader.parametrization == "MELANIN":
        return _hair(graph, shader)
    colour = socket(shader, "Base Color") or socket(shader, "Color")
    return _BLACK if colour is None else _source(colour)


def _hair(graph: Graph, shader: Any) -> Any:
    """The colour that many strands scatter: Chiang et al., section 4.2, the other way round."""
    unit = graph.math("SUBTRACT", 1.0, _source(socket(shader, "Melanin")))
    amount = graph.math("MULTIPLY", graph.math("LOGARITHM", graph.math("MAXIMUM", unit, 1e-4), 2.718281828), -1.0)
    redness = _source(socket(shader, "Melanin Redness"))
    fac = albedo_exponent(socket(shader, "Radial Roughness").default_value)
    parts = []
    for eumelanin, pheomelanin in zip(EUMELANIN, PHEOMELANIN, strict=True):
        mixed = graph.math("MULTIPLY_ADD", redness, pheomelanin - eumelanin)
        mixed.node.inputs[2].default_value = eumelanin
        root = graph.math("SQRT", graph.math("MULTIPLY", amount, mixed))
        parts.append(graph.math("EXPONENT", graph.math("MULTIPLY", root, -fac)))
    return graph.node("CombineXYZ", dict(enumerate(parts))).outputs[0]


def _source(target: Any) -> Any:
    """The source of an input: the socket that is linked to it, or its value."""
    if target.is_linked:
        return target.links[0].from_socket
    value = target.default_value
    return value if isinstance(value, float) else tuple(value)
