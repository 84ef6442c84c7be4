"""A labelled scan as a Blender file, inside Blender."""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

from capture.arrays import read_npz
from generator.blender.jobs.blend_files import add_colours, empty_file, save
from generator.blender.meshes import add_mesh
from generator.jobs.labelled import LabelledJob

MASK, PHOTO = "skin mask", "photo colours"


def write_labelled(job: LabelledJob) -> None:
    """Write the `.blend` of a job: the faces of the first group are selected. Raises `InputError` where it can't be."""
    arrays = read_npz(job.scan)
    empty_file()
    vertices, faces, face_group = arrays["vertices"], arrays["faces"], arrays["face_group"]
    a, b, c = faces.T
    real = (a != b) & (b != c) & (c != a)  # Blender's tools take no others
    names = ("probability", "distance_mm", "distance_spread_mm", "uncertain")
    attributes: dict[str, NDArray] = {name: arrays[name] for name in names if name in arrays}
    scan = add_mesh("scan", vertices, faces[real], bpy.data.materials.new("scan"), 0, attributes)
    mesh, group = scan.data, arrays["group"]
    for number, name in enumerate(job.groups):
        if len(members := np.flatnonzero(group == number)):
            scan.vertex_groups.new(name=name).add(members.tolist(), 1.0, "REPLACE")
    grey = np.rint(255 * arrays["probability"]).astype(np.uint8)
    add_colours(mesh, MASK, np.repeat(grey[:, None], 3, axis=1))
    if "colours" in arrays:
        add_colours(mesh, PHOTO, arrays["colours"])
    mesh.color_attributes.active_color = mesh.color_attributes[MASK]
    mesh.polygons.foreach_set("select", face_group[real] == 0)
    mesh.vertices.foreach_set("select", group == 0)
    mesh.edges.foreach_set("select", np.zeros(len(mesh.edges), bool))
    scan["p2p_scan"] = job.key
    scan.select_set(True)
    bpy.context.view_layer.objects.active = scan
    bpy.context.tool_settings.mesh_select_mode = (False, False, True)
    save(job.out)
