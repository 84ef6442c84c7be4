"""Hair alone, with alpha, as given cameras see it on a head: what is blended over photographs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets.head_models.registry import load_head_model
from assets.library import open_library
from capture import InputError, PixelClass, atomic_path, write_json
from capture.runtime.progress import StepProgress
from generator.asset_selection import credits_of
from generator.blender.build import build_scene
from generator.blender.compat import light_nothing
from generator.blender.jobs.versions import render_versions
from generator.blender.materials.nodes import Graph
from generator.blender.output import Report
from generator.blender.passes import render_masks
from generator.blender.render import render_channels
from generator.blender.world import hdri_path
from generator.jobs.overlay import CLASSES, RECORD, OverlayJob, classes_name, colour_name, cover_name

SHOWN = (PixelClass.SCALP_HAIR, PixelClass.FACIAL_HAIR)
_SHADERS = ("ShaderNodeBsdfHairPrincipled", "ShaderNodeBsdfPrincipled")
_HEAD = (PixelClass.SKIN, PixelClass.EYES, PixelClass.MOUTH)


def render_overlay(job: OverlayJob, report: Report) -> None:
    """Render the hair of a job for each of its N cameras; reports after each.

    Its folder gets, per camera, what `generator.jobs.overlay.read_overlay` reads; where classes are wanted
    `classes/<index>.png`, as masks are, 0 where no hair is; and at last `overlay.json` with the versions and the assets
    that were used.

    The head hides hair and takes its light away, but is not seen itself: its pixels are 0. Light and cover are rendered
    one after the other, as denoisers smooth light alone: noisy cover below smooth light would speckle every edge.
    Raises `InputError` where the head has no hair.
    """
    chosen, folder = job.rendering, job.folder
    model, library = load_head_model(chosen.head_model), open_library(chosen.library)
    scene, _, _ = build_scene(
        job.spec,
        model,
        lambda centre, radius: job.cameras,
        chosen.samples,
        job.threads,
        lambda stage, work: work(),
        library,
        chosen.device,
        job.skin,
    )

    def progress(step: str, done: int, total: int) -> None:
        report(StepProgress(folder.name, step, done, total))

    scene.render.film_transparent = True
    if not _leave_hair(scene):
        raise InputError("there is no hair to blend: the chosen families grow none on this head; choose others")
    numbered = [replace(camera, name=classes_name(index)) for index, camera in enumerate(job.cameras)]
    for index, camera in enumerate(numbered):
        channels = render_channels(scene, camera, folder, alpha=True)
        with atomic_path(folder / colour_name(index)) as temporary:
            np.savez_compressed(temporary, rgb=np.stack([channels[name] for name in "RGB"], axis=-1))
        progress("view", index + 1, len(numbered))
    _shine_white(scene)
    for index, camera in enumerate(numbered):
        channels = render_channels(scene, camera, folder, alpha=True)
        with atomic_path(folder / cover_name(index)) as temporary:
            np.savez_compressed(temporary, alpha=np.clip(channels["R"], 0, 1) * _beside(channels["A"] > 0))
        progress("cover", index + 1, len(numbered))
    if job.classes:
        render_masks(scene, numbered, folder / CLASSES, progress)
    versions = render_versions(model)
    write_json(folder / RECORD, {"versions": versions, "assets": credits_of(job.spec, library, hdri_path)})


def _beside(hit: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H, W) pixels that rays hit hair in, and those up to two away: a denoiser spreads cover farther."""
    padded, (height, width) = np.pad(hit, 2), hit.shape
    found = np.zeros_like(hit)
    for down in range(5):
        for right in range(5):
            found |= padded[down : down + height, right : right + width]
    return found


def _leave_hair(scene: Any) -> int:
    """Make the head a hole in the picture and hide what else is worn; returns how many objects of hair there are."""
    hair = 0
    for thing in scene.objects:
        if thing.pass_index in SHOWN:
            hair += 1
        elif thing.pass_index in _HEAD:
            thing.is_holdout = True
        elif thing.pass_index:
            thing.hide_render = True
    return hair


def _shine_white(scene: Any) -> None:
    """Let hair emit white and nothing else: its light is its cover. The scene shows no colours afterwards."""
    scene.world, scene.cycles.max_bounces = None, 0
    if scene.cycles.use_denoising:  # by the light alone: its guides would be as noisy as it is
        scene.cycles.denoising_input_passes = "RGB"
    hair = [thing for thing in scene.objects if thing.pass_index in SHOWN]
    for material in {slot.material for thing in hair for slot in thing.material_slots}:
        graph = Graph(material.node_tree, keep=True)
        white = graph.node("Emission", {"Color": (1.0, 1.0, 1.0, 1.0), "Strength": 1.0})
        for shader in [node for node in graph.tree.nodes if node.bl_idname in _SHADERS]:
            for target in [link.to_socket for link in shader.outputs[0].links]:
                graph.put(target, white.outputs[0])
        light_nothing(material)
