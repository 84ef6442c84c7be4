"""Run in a process with bpy: the largest difference between our projection and Blender's own, in pixels."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import bpy
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from assets.parameter_sampler import ParameterSampler
from capture import Camera
from generator.blender.cameras import add_camera, aim
from generator.blender.scene import new_scene
from generator.cameras.rig import rig_cameras, sample_rig


def main() -> None:
    scene = new_scene(1, 1, 0)
    add_camera(scene)
    rng = np.random.default_rng(0)
    points = rng.uniform(-0.15, 0.15, (200, 3)) + np.array([0, 0.05, 0])
    cameras = rig_cameras(sample_rig(ParameterSampler(rng)), (0, 0.05, 0), 0.15, 512)
    for size, focal, principal in (
        ((640, 480), (900.0, 900.0), (300.5, 260.25)),
        ((480, 640), (1100.0, 1100.0), (255.0, 301.0)),
        ((1024, 1024), (2000.0, 1900.0), (500.0, 530.0)),
        ((777, 512), (1300.0, 1350.0), (400.0, 230.0)),
    ):
        pose = cameras[5]
        cameras.append(Camera.pinhole("view_99.png", size, focal, principal, pose.rotation, pose.translation))
    largest = 0.0
    for camera in cameras:
        aim(scene, camera)
        bpy.context.view_layer.update()
        seen = np.array([world_to_camera_view(scene, scene.camera, Vector(p)) for p in points])
        theirs = np.stack([seen[:, 0] * camera.width, (1 - seen[:, 1]) * camera.height], axis=1)
        ours, _ = camera.project(points)
        largest = max(largest, float(np.abs(ours - theirs).max()))
    Path(sys.argv[1]).write_text(json.dumps({"largest_error_px": largest}))


main()
