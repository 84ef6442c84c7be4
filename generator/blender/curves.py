"""Strands as hair curves.

One way for all versions (3.4 has no function to fill a Curves object): the strands are edges of a mesh, and the
geometry nodes of a Curves object turn them into curves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import bpy
import numpy as np

from capture.runtime.warnings_once import warn_once
from generator.blender.compat import bundled_file, version
from generator.blender.materials.nodes import Graph
from generator.blender.meshes import link
from generator.hair.strands import Strands

_NODE_FILE = "procedural_hair_node_assets.blend"
HAIR_NODES: dict[str, dict[str, Any]] = {
    "Duplicate Hair Curves": {"Amount": 1, "Viewport Amount": 1.0, "Radius": 0.0005, "Distribution Shape": 0.5},
    "Frizz Hair Curves": {"Cumulative Offset": False, "Distance": 0.0003, "Factor": 1.0},
}
"""The groups that multiply strands, and their inputs; together they move a point by less than 0.9 mm."""


def add_strands(name: str, strands: Strands, paint: Any, pass_index: int, seed: int | None = None) -> Any:
    """A hair object of strands; with a `seed`, Blender's own hair nodes, where it has them, make more of each."""
    more = seed is not None and all(bundled_hair_node(node) for node in HAIR_NODES)
    if seed is not None and not more:
        warn_once(f"Blender {version()} has no hair nodes: hair is rendered with half of the strands; use 3.5 or later")
    source = _polylines(name, replace(strands, radii=0.8 * strands.radii) if more else strands)
    curves = bpy.data.hair_curves.new(name)
    curves.materials.append(paint)
    made = link(name, curves, pass_index)
    modifier = made.modifiers.new("strands", "NODES")
    modifier.node_group = _to_curves(source, paint, seed if more else None)
    return made


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
    tone = strands.shade if strands.tone is None else strands.tone
    mesh.attributes.new("tone", "FLOAT", "POINT").data.foreach_set("value", np.repeat(tone, steps).astype(np.float32))
    mesh.update()
    made = link(f"{name} points", mesh, 0)
    made.hide_render = made.hide_viewport = True
    return made


def _to_curves(source: Any, paint: Any, seed: int | None) -> Any:
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
    if seed is not None:
        curve = _multiplied(graph, curve, seed)
    shown = graph.node("GeometryNodeSetMaterial", {"Geometry": curve, "Material": paint}).outputs[0]
    out = graph.node("NodeGroupOutput")
    tree.links.new(shown, out.inputs[0])
    return tree


def _multiplied(graph: Graph, curve: Any, seed: int) -> Any:
    """The strands with copies beside them, all a little frizzy, by Blender's own hair nodes.

    Strands lie 1.2 mm or more off the skin: what is added here must stay below that.
    """
    for name, inputs in HAIR_NODES.items():
        group = bundled_hair_node(name)
        node = graph.node("GeometryNodeGroup", node_tree=group)
        for key, value in (inputs | {"Seed": seed % 10000}).items():
            node.inputs[key].default_value = value
        graph.tree.links.new(curve, node.inputs["Geometry"])
        curve = node.outputs["Geometry"]
    return curve


def bundled_hair_node(name: str) -> Any:
    """A node group out of Blender's essentials assets (from 3.5 on), loaded once per scene, or None."""
    loaded = bpy.data.node_groups.get(name)
    if loaded is not None:
        return loaded
    place = bundled_file(_NODE_FILE)
    if place is None:
        return None
    with bpy.data.libraries.load(str(place), link=False) as (there, here):
        if name not in there.node_groups:
            return None
        here.node_groups = [name]
    return bpy.data.node_groups.get(name)


def hair_nodes() -> str:
    """The hair nodes that captures are made with, for their record: bundled or none."""
    return "bundled" if bundled_file(_NODE_FILE) else "none"
