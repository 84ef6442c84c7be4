"""Arrays as Blender objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray


def add_mesh(
    name: str,
    vertices: NDArray[np.floating],
    triangles: NDArray[np.integer],
    material: Any,
    pass_index: int,
    attributes: Mapping[str, NDArray[np.floating]] | None = None,
    uvs: NDArray[np.floating] | None = None,
) -> Any:
    """A smooth-shaded mesh object.

    Args:
        vertices: (V, 3) metres.
        triangles: (F, 3); exactly these are rendered.
        material: its material.
        pass_index: class id for the masks.
        attributes: name -> (V,) or (V, 3) values that the shader reads.
        uvs: (F, 3, 2) texture coordinates of the triangles' corners, for a UV layer named "UVMap".
    """
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", np.ascontiguousarray(vertices, np.float32).ravel())
    mesh.loops.add(triangles.size)
    mesh.loops.foreach_set("vertex_index", np.ascontiguousarray(triangles, np.int32).ravel())
    mesh.polygons.add(len(triangles))
    mesh.polygons.foreach_set("loop_start", np.arange(0, triangles.size, 3, dtype=np.int32))
    if bpy.app.version < (4, 1):
        mesh.polygons.foreach_set("loop_total", np.full(len(triangles), 3, np.int32))
    mesh.polygons.foreach_set("use_smooth", np.ones(len(triangles), bool))
    for key, values in (attributes or {}).items():
        _add_attribute(mesh, key, values)
    if uvs is not None:
        layer = mesh.uv_layers.new(name="UVMap", do_init=False)
        layer.data.foreach_set("uv", np.ascontiguousarray(uvs, np.float32).ravel())
    mesh.update(calc_edges=True)
    mesh.materials.append(material)
    return link(name, mesh, pass_index)


def link(name: str, data: Any, pass_index: int) -> Any:
    """An object of `data` in the scene."""
    made = bpy.data.objects.new(name, data)
    made.pass_index = pass_index
    bpy.context.scene.collection.objects.link(made)
    return made


def _add_attribute(mesh: Any, key: str, values: NDArray[np.floating]) -> None:
    kind, field = ("FLOAT", "value") if values.ndim == 1 else ("FLOAT_VECTOR", "vector")
    attribute = mesh.attributes.new(key, kind, "POINT")
    attribute.data.foreach_set(field, np.ascontiguousarray(values, np.float32).ravel())
