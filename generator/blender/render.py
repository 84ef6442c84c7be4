"""Images and masks of a scene, one view after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import bpy

from capture import Camera, InputError, atomic_path
from generator.blender.cameras import aim
from generator.blender.nodes import material
from generator.blender.png import strip_metadata

Progress = Callable[[str, int, int], None]


def render_images(scene: Any, cameras: Sequence[Camera], folder: Path, progress: Progress) -> None:
    """Render `folder/<name>` of every camera, 8-bit sRGB PNG."""
    scene.view_settings.view_transform = "Standard"
    _set_png(scene.render.image_settings, "RGB")
    for index, camera in enumerate(cameras):
        _render(scene, camera, folder / camera.name)
        progress("view", index + 1, len(cameras))


def render_masks(scene: Any, cameras: Sequence[Camera], folder: Path, progress: Progress) -> None:
    """Render `folder/<name>`: the pass index of the object at every pixel's centre, 8 bits.

    One sample a pixel through a pixel filter of no width, every object shining with its number. The scene is good for
    masks only afterwards.
    """
    cycles = scene.cycles
    scene.view_settings.view_transform = "Raw"
    _set_png(scene.render.image_settings, "BW")
    cycles.samples, cycles.use_denoising, cycles.max_bounces = 1, False, 0
    cycles.pixel_filter_type, cycles.filter_width = "BOX", 0.01
    cycles.sample_clamp_direct = cycles.sample_clamp_indirect = 0.0
    scene.world = None
    scene.view_layers[0].material_override = _index_material()
    for index, camera in enumerate(cameras):
        _render(scene, camera, folder / camera.name)
        progress("mask", index + 1, len(cameras))


def _index_material() -> Any:
    made, graph = material("class index")
    index = graph.node("ObjectInfo").outputs["Object Index"]
    shine = graph.node("Emission", {"Color": graph.math("DIVIDE", index, 255.0), "Strength": 1.0})
    graph.node("OutputMaterial", {"Surface": shine.outputs[0]})
    return made


def _set_png(settings: Any, mode: str) -> None:
    settings.file_format = "PNG"
    settings.color_mode, settings.color_depth, settings.compression = mode, "8", 15


def _render(scene: Any, camera: Camera, path: Path) -> None:
    aim(scene, camera)
    with atomic_path(path) as temporary:
        scene.render.filepath = str(temporary.resolve())
        bpy.ops.render.render(write_still=True)
        if not temporary.is_file() or not strip_metadata(temporary):
            cure = "check the free space and your permissions"
            raise InputError(f"can't write {path}: Blender left no whole image; {cure}")
