"""A short way to write shader node graphs."""

from __future__ import annotations

from typing import Any

import bpy

from generator.blender.compat import socket


class Graph:
    """A node tree under construction. Inputs are given by name: a node output is linked, any other value set."""

    def __init__(self, tree: Any, keep: bool = False) -> None:
        self.tree = tree
        if not keep:
            tree.nodes.clear()

    def node(self, kind: str, inputs: dict[str | int, Any] | None = None, **settings: Any) -> Any:
        """A node of the class `ShaderNode<kind>`; `inputs` by name or number, `settings` are its properties."""
        node = self.tree.nodes.new(kind if kind.startswith(("Geometry", "Function", "Node")) else f"ShaderNode{kind}")
        for setting, value in settings.items():
            setattr(node, setting, value)
        for key, value in (inputs or {}).items():
            target = node.inputs[key] if isinstance(key, int) else socket(node, key)
            if target is not None:
                self.put(target, value)
        return node

    def put(self, target: Any, value: Any) -> None:
        """Link or set one input."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, target)
        else:
            target.default_value = value

    def math(self, operation: str, a: Any, b: Any = 0.0, clamp: bool = False) -> Any:
        """The output of a scalar operation."""
        return self.node("Math", {0: a, 1: b}, operation=operation, use_clamp=clamp).outputs[0]

    def attribute(self, name: str) -> Any:
        """The Attribute node that reads `name`."""
        return self.node("Attribute", attribute_name=name)

    def mix(self, factor: Any, a: Any, b: Any, blend: str = "MIX") -> Any:
        """The colour between `a` and `b`."""
        return self.node("MixRGB", {"Fac": factor, "Color1": a, "Color2": b}, blend_type=blend).outputs[0]

    def ramp(self, value: Any, low: float, high: float) -> Any:
        """`value` mapped from [low, high] to [0, 1], clamped, smoothly."""
        return self.node(
            "MapRange", {"Value": value, "From Min": low, "From Max": high}, interpolation_type="SMOOTHSTEP"
        ).outputs[0]

    def by_distance(self, near: Any, far: Any) -> Any:
        """The shader `near` for what a camera sees, also through clear glass, and `far` where light comes from there.

        Cycles evaluates the nodes of one of them alone.
        """
        path = self.node("LightPath").outputs
        seen = self.math("ADD", path["Is Camera Ray"], path["Is Singular Ray"], clamp=True)
        return self.node("MixShader", {0: seen, 1: far, 2: near}).outputs[0]

    def by_bounces(self, near: Any, far: Any, most: int) -> Any:
        """The shader `near` for rays that have bounced `most` times or less, and `far` for later ones.

        Cycles evaluates the nodes of one of them alone.
        """
        late = self.math("GREATER_THAN", self.node("LightPath").outputs["Ray Depth"], most + 0.5)
        return self.node("MixShader", {0: late, 1: near, 2: far}).outputs[0]


def material(name: str) -> tuple[Any, Graph]:
    """A new material and its emptied graph."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    return made, Graph(made.node_tree)


def grey(value: float) -> tuple[float, float, float, float]:
    """An opaque grey."""
    return (value, value, value, 1.0)


def opaque(colour: tuple[float, float, float]) -> tuple[float, float, float, float]:
    """RGB with full alpha."""
    return (*colour, 1.0)
