"""Strands as hair curves with the hair shader.

One way for all versions (3.4 has no function to fill a Curves object): the strands are edges of a mesh, and the
geometry nodes of a Curves object turn them into curves.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from generator.blender.meshes import link
from generator.blender.nodes import Graph, material
from generator.components.hair import HairColour
from generator.hair.strands import Strands


def add_strands(name: str, strands: Strands, paint: Any, pass_index: int) -> Any:
    """A hair object of strands."""
    source = _polylines(name, strands)
    curves = bpy.data.hair_curves.new(name)
    curves.materials.append(paint)
    found = link(name, curves, pass_index)
    modifier = found.modifiers.new("strands", "NODES")
    modifier.node_group = _to_curves(source, paint)
    return found


def _polylines(name: str, strands: Strands) -> Any:
    """An object that holds the strands as edges and is not rendered itself."""
    count, steps = strands.points.shape[:2]
    mesh = bpy.data.meshes.new(f"{name} points")
    mesh.vertices.add(count * steps)
    mesh.vertices.foreach_set("co", np.ascontiguousarray(strands.points, np.float32).ravel())
    first = (np.arange(count)[:, None] * steps + np.arange(steps - 1)[None]).ravel()
    mesh.edges.add(len(first))
    mesh.edges.foreach_set("vertices", np.stack([first, first + 1], axis=1).astype(np.int32).ravel())
    thickness = mesh.attributes.new("thickness", "FLOAT", "POINT")
    thickness.data.foreach_set("value", np.ascontiguousarray(strands.radii, np.float32).ravel())
    shade = mesh.attributes.new("shade", "FLOAT", "POINT")
    shade.data.foreach_set("value", np.repeat(strands.shade, steps).astype(np.float32))
    mesh.update()
    found = link(f"{name} points", mesh, 0)
    found.hide_render = found.hide_viewport = True
    return found


def _to_curves(source: Any, paint: Any) -> Any:
    tree = bpy.data.node_groups.new("strands to curves", "GeometryNodeTree")
    if hasattr(tree, "interface"):
        tree.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
        tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    else:  # before 4.0
        tree.inputs.new("NodeSocketGeometry", "Geometry")
        tree.outputs.new("NodeSocketGeometry", "Geometry")
    graph = Graph(tree)
    mesh = graph.node("GeometryNodeObjectInfo", {"Object": source}).outputs["Geometry"]
    curve = graph.node("GeometryNodeMeshToCurve", {"Mesh": mesh}).outputs[0]
    radius = graph.node("GeometryNodeInputNamedAttribute", data_type="FLOAT")
    radius.inputs["Name"].default_value = "thickness"
    value = next(o for o in radius.outputs if o.enabled and o.type == "VALUE")
    curve = graph.node("GeometryNodeSetCurveRadius", {"Curve": curve, "Radius": value}).outputs[0]
    shown = graph.node("GeometryNodeSetMaterial", {"Geometry": curve, "Material": paint}).outputs[0]
    out = graph.node("NodeGroupOutput")
    tree.links.new(shown, out.inputs[0])
    return tree


def hair_material(name: str, colour: HairColour, roughness: float = 0.32) -> Any:
    """The hair shader; reads the strands' `shade` so that they differ, and some are grey."""
    made, graph = material(name)
    shade = graph.attribute("shade").outputs["Fac"]
    grey = graph.math("LESS_THAN", shade, colour.grey)
    other = graph.math("FRACT", graph.math("MULTIPLY", shade, 37.0))
    spread = graph.node("MapRange", {"Value": other, "To Min": 0.88, "To Max": 1.08}).outputs[0]
    varied = graph.math("MULTIPLY", spread, colour.melanin, clamp=True)
    melanin = graph.math("MULTIPLY", varied, graph.math("SUBTRACT", 1.0, graph.math("MULTIPLY", grey, 0.96)))
    shader = graph.node(
        "BsdfHairPrincipled",
        {
            "Melanin": melanin,
            "Melanin Redness": colour.redness,
            "Roughness": roughness,
            "Radial Roughness": 0.35,
            "Coat": 0.0,
            "IOR": 1.55,
            "Random Roughness": 0.0,
        },
        parametrization="MELANIN",
    )
    graph.node("OutputMaterial", {"Surface": shader.outputs[0]})
    return made
