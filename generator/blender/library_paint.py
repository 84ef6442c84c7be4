"""Images of a library in place of the procedural colours of skin and eyes; all else of the materials stays."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from generator.blender.library_material import load_image
from generator.blender.nodes import Graph
from generator.components.eyes import EyeSpec
from generator.components.skin import SkinSpec
from generator.head import HeadGeometry
from generator.lighting import LUMINANCE
from generator.skin_colour import tone

# MakeHuman's eye images show the left eye around a point of their lower left quarter; measured on its eye meshes: the
# radius of the iris there, and how far a radian beyond the iris takes one.
EYE_CENTRE = (0.2927, 0.2917)
IRIS_RADIUS, PER_RADIAN, WHITE_RADIUS = 0.113, 0.155, 0.275


def toned(spec: SkinSpec, image: Path, head: HeadGeometry) -> SkinSpec:
    """The spec with the melanin that is as bright as the face of an image: exposure and gloss go by it."""
    picture = load_image(image)
    width, height = picture.size
    values = np.empty(4 * width * height, np.float32)
    picture.pixels.foreach_get(values)
    skin = head.skin
    face = skin.masks["face"][skin.triangles].min(axis=1) > 0.5 if "face" in skin.masks else slice(None)
    u, v = (skin.corner_uvs[face].mean(axis=1) % 1.0).T
    rows, columns = (v * height).astype(int), (u * width).astype(int)
    colours = values.reshape(height, width, 4)[rows, columns, :3].astype(float)  # the bottom row first
    linear = np.where(colours < 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1
    steps = np.linspace(0, 1, 41)
    bright = [float(tone(replace(spec, melanin=step)) @ LUMINANCE) for step in steps]  # falls as melanin grows
    return replace(spec, melanin=round(float(np.interp(-linear.mean(axis=0) @ LUMINANCE, -np.array(bright), steps)), 6))


def paint_skin(made: Any, image: Path) -> None:
    """Colour a skin material by an image in the texture coordinates of the head model.

    The vertex attribute `shade` (rgb factors) stays in front of it: what grows on the skin darkens it.
    """
    graph = Graph(made.node_tree, keep=True)
    place = graph.node("UVMap", uv_map="UVMap").outputs[0]
    colour = graph.node("TexImage", {"Vector": place}, image=_opaque(image)).outputs["Color"]
    shade = graph.attribute("shade").outputs["Vector"]
    _colour(graph, graph.node("VectorMath", {0: colour, 1: shade}, operation="MULTIPLY").outputs[0])


def paint_eyes(made: Any, image: Path, spec: EyeSpec, radius: float) -> None:
    """Colour an eye material by an image in MakeHuman's layout, its iris of the spec's size.

    Reads the vertex attribute `eye_uv`; `radius` is the eyeballs', metres.
    """
    graph = Graph(made.node_tree, keep=True)
    plane = graph.node("VectorMath", {0: graph.attribute("eye_uv").outputs["Vector"], 1: (0.5, 0.5, 0.0)},
                       operation="SUBTRACT").outputs[0]  # fmt: skip
    length = graph.node("VectorMath", {0: plane}, operation="LENGTH").outputs["Value"]
    angle = graph.math("MULTIPLY", length, 2 * math.pi)
    iris = math.asin(min(spec.iris_mm / 1000 / radius, 0.9))
    inside = graph.math("MULTIPLY", angle, IRIS_RADIUS / iris)
    beyond = graph.math("ADD", graph.math("MULTIPLY", angle, PER_RADIAN), IRIS_RADIUS - PER_RADIAN * iris)
    reach = graph.math("MINIMUM", graph.math("MINIMUM", inside, beyond), WHITE_RADIUS)
    direction = graph.node("VectorMath", {0: plane}, operation="NORMALIZE").outputs[0]
    offset = graph.node("VectorMath", {0: direction, "Scale": reach}, operation="SCALE").outputs[0]
    place = graph.node("VectorMath", {0: offset, 1: (*EYE_CENTRE, 0.0)}, operation="ADD").outputs[0]
    _colour(graph, graph.node("TexImage", {"Vector": place}, image=_opaque(image)).outputs["Color"])


def _opaque(path: Path) -> Any:
    image = load_image(path)
    image.alpha_mode = "NONE"
    return image


def _colour(graph: Graph, colour: Any) -> None:
    """Give the colour to every surface that has one."""
    for node in list(graph.tree.nodes):
        if node.bl_idname == "ShaderNodeBsdfPrincipled":
            graph.put(node.inputs["Base Color"], colour)
