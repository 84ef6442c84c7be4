"""A scan as a Blender file for somebody to paint what of it is skin, inside Blender."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from capture import Camera
from capture.arrays import read_npz
from generator.blender.cameras import set_frame, set_lens, set_pose
from generator.blender.jobs.annotation_screen import prepare_brush, prepare_screen
from generator.blender.jobs.blend_files import add_colours, empty_file, flat, save
from generator.blender.meshes import add_mesh
from generator.jobs.annotation import AnnotationJob, colours_of

MASK, PHOTO, PLACE, START = "skin mask", "photo colours", "scan position", "paint at the start"
KEY, COUNT, UNIT = "p2p_scan", "p2p_vertices", "p2p_metres_per_unit"
TEXT = "How to paint the mask"
_MESH = "scan"
_SEE_THROUGH = 0.5  # opacity of the photographs before the scan


def write_annotation(job: AnnotationJob) -> None:
    """Write the `.blend` of a job. Raises `InputError` where it can't be written."""
    arrays = read_npz(job.scan)
    empty_file()
    vertices, faces = arrays["vertices"], arrays["faces"]
    a, b, c = faces.T
    faces = faces[(a != b) & (b != c) & (c != a)]  # Blender's tools take no others
    scan = add_mesh(_MESH, vertices, faces, bpy.data.materials.new(MASK), 0)
    mesh = scan.data
    place = mesh.attributes.new(PLACE, "FLOAT_VECTOR", "POINT")
    place.data.foreach_set("vector", flat(vertices))
    start = mesh.attributes.new(START, "INT", "POINT")
    start.data.foreach_set("value", arrays["paint"].astype(np.int32))
    if "colours" in arrays:
        add_colours(mesh, PHOTO, arrays["colours"])
    add_colours(mesh, MASK, colours_of(arrays["paint"]))
    for holder in (scan, mesh):  # the mesh's are read; on the object people see them
        holder[KEY], holder[COUNT], holder[UNIT] = job.key, len(vertices), job.metres_per_unit
    first = _add_cameras(job.cameras, job.images)
    text = bpy.data.texts.new(TEXT)
    text.write(job.text)
    text.cursor_set(0)
    _ready_to_paint(scan)
    low, high = np.percentile(vertices, [1, 99], axis=0)
    prepare_screen(text, (low + high) / 2, float(np.linalg.norm(high - low)), first)
    save(job.out)


def _add_cameras(cameras: Sequence[Camera], images: Sequence[Path]) -> Any:
    """A camera a view, its picture half over the scan, and a frame: stepping through the frames goes through the views.

    Returns the one to look through first, None where there are none.
    """
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, max(len(cameras), 1)
    for frame, (camera, path) in enumerate(zip(cameras, images, strict=True), 1):
        data = bpy.data.cameras.new(camera.name)
        found = bpy.data.objects.new(camera.name, data)
        scene.collection.objects.link(found)
        set_lens(data, camera)
        set_pose(found, camera)
        data.display_size = 0.03
        data.show_background_images = True
        shown = data.background_images.new()
        shown.image = bpy.data.images.load(str(path))
        shown.image.pack()  # the file goes to another machine in one piece
        shown.display_depth, shown.alpha, shown.frame_method = "FRONT", _SEE_THROUGH, "STRETCH"
        scene.timeline_markers.new(camera.name, frame=frame).camera = found
        set_frame(scene, camera)
    if not cameras:
        return None
    ways = np.stack([camera.direction for camera in cameras])
    middle = int(np.argmax(ways @ ways.mean(axis=0)))
    scene.frame_set(middle + 1)
    scene.camera = scene.timeline_markers[middle].camera
    return scene.camera


def _ready_to_paint(scan: Any) -> None:
    """The file opens in vertex paint, with the two colours on the brush and the mask in sight."""
    mesh = scan.data
    mesh.color_attributes.active_color = mesh.color_attributes[MASK]
    mesh.color_attributes.render_color_index = mesh.color_attributes.find(MASK)
    for other in bpy.context.scene.objects:
        other.select_set(other == scan)
    bpy.context.view_layer.objects.active = scan
    bpy.ops.object.mode_set(mode="VERTEX_PAINT")
    prepare_brush(bpy.context.scene.tool_settings)
