"""A head's scene as files that people open: a `.blend` with all that is rendered, and a GLB of its meshes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np

from assets.head_models.registry import load_head_model
from assets.library import open_library
from capture import Camera, InputError, atomic_path
from generator.blender.build import build_scene
from generator.blender.cameras import set_frame, set_lens, set_pose
from generator.blender.jobs.blend_files import flat, save
from generator.blender.materials.nodes import material
from generator.cameras.rig import rig_cameras
from generator.jobs.scene import BLEND, GLB, SceneJob

_COLOUR = "colour"


def write_scene(job: SceneJob) -> None:
    """Write the files of a job. Raises `InputError` where the head can't be built or they can't be written."""
    rendering = job.rendering
    model, library = load_head_model(rendering.head_model), open_library(rendering.library)
    spec = job.head.recipe(model, library)
    scene, _, cameras = build_scene(
        spec,
        model,
        lambda centre, radius: rig_cameras(spec.rig, centre, radius, rendering.side),
        rendering.samples,
        None,
        lambda stage, work: work(),
        library,
        rendering.device,
    )
    _add_cameras(scene, cameras)
    scene.view_settings.view_transform = "Standard"  # of what Blender shows; images are developed from linear light
    bpy.ops.file.pack_all()
    with atomic_path(job.head.folder / BLEND) as path:
        save(path)
    _paint_plainly()
    with atomic_path(job.head.folder / GLB) as path:
        try:
            bpy.ops.export_scene.gltf(
                filepath=str(path), export_format="GLB", export_cameras=True, export_attributes=False
            )
        except (AttributeError, RuntimeError) as error:
            raise InputError(f"Blender wrote no {GLB}: {' '.join(str(error).split())}") from None


def _add_cameras(scene: Any, cameras: Sequence[Camera]) -> None:
    """A camera a view, by the name of its image, in the place of the one that goes from view to view."""
    bpy.data.objects.remove(scene.camera)
    for camera in cameras:
        made = bpy.data.objects.new(camera.name, bpy.data.cameras.new(camera.name))
        scene.collection.objects.link(made)
        set_lens(made.data, camera)
        set_pose(made, camera)
    set_frame(scene, cameras[0])
    scene.camera = bpy.data.objects[cameras[0].name]


def _paint_plainly() -> None:
    """Give the skin a material of its plain colour: glTF knows none of the nodes that compute it."""
    mesh = bpy.data.objects["skin"].data
    values = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.attributes["albedo"].data.foreach_get("vector", values)
    colours = mesh.color_attributes.new(_COLOUR, "FLOAT_COLOR", "POINT")
    rgba = np.concatenate([values.reshape(-1, 3), np.ones((len(mesh.vertices), 1), np.float32)], axis=1)
    colours.data.foreach_set("color", flat(rgba))
    mesh.color_attributes.active_color = colours
    made, graph = material("skin, plain")
    colour = graph.node("VertexColor", layer_name=_COLOUR)
    surface = graph.node("BsdfPrincipled", {"Base Color": colour.outputs["Color"], "Roughness": 0.5})
    graph.node("OutputMaterial", {"Surface": surface.outputs[0]})
    mesh.materials[0] = made
