"""Our cameras (COLMAP's conventions) as Blender's, the only place that knows both.

Blender's camera looks along its -Z with Y up; its `shift` is in widths of the sensor's fitted side. The fit is
horizontal always, so that the focal length in pixels is `lens * width / sensor`.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from capture import Camera, InputError

SENSOR_MM = 36.0


def add_camera(scene: Any) -> Any:
    """A camera object, made the scene's own."""
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(camera)
    scene.camera = camera
    return camera


def aim(scene: Any, camera: Camera) -> None:
    """Give the scene's camera and its frame the intrinsics and the pose of `camera`.

    Raises `InputError` for a distorted camera: Blender renders pinholes.
    """
    if camera.distorted:
        raise InputError(f"camera of {camera.name}: Blender renders without distortion, not {camera.model}")
    set_lens(scene.camera.data, camera)
    set_frame(scene, camera)
    set_pose(scene.camera, camera)


def set_lens(lens: Any, camera: Camera) -> None:
    """Intrinsics without distortion."""
    (fx, fy), (cx, cy) = camera.focal, camera.principal
    lens.type, lens.sensor_fit, lens.sensor_width = "PERSP", "HORIZONTAL", SENSOR_MM
    lens.lens = fx * SENSOR_MM / camera.width
    lens.clip_start, lens.clip_end = 0.01, 100.0
    lens.shift_x = (camera.width / 2 - cx) / camera.width
    lens.shift_y = (cy - camera.height / 2) * fx / fy / camera.width


def set_frame(scene: Any, camera: Camera) -> None:
    """Size of the image and shape of its pixels."""
    aspect = camera.focal[0] / camera.focal[1]  # height of a pixel over its width
    scene.render.pixel_aspect_x, scene.render.pixel_aspect_y = max(1.0 / aspect, 1.0), max(aspect, 1.0)
    scene.render.resolution_x, scene.render.resolution_y = camera.width, camera.height
    scene.render.resolution_percentage = 100


def set_pose(camera_object: Any, camera: Camera) -> None:
    """Position and rotation of a camera object."""
    pose = np.eye(4)
    pose[:3, :3] = camera.rotation.T @ np.diag([1.0, -1.0, -1.0])
    pose[:3, 3] = camera.centre
    camera_object.matrix_world = Matrix(pose.tolist())
