"""An empty scene with every setting that matters set."""

from __future__ import annotations

from typing import Any

import bpy

from capture.runtime.warnings_once import warn_once
from generator.blender.compat import has_denoiser, version
from generator.blender.device import use_device


def new_scene(samples: int, threads: int | None, seed: int, device: str = "cpu") -> Any:
    """Drop everything that is loaded, and set up Cycles.

    Args:
        samples: per pixel; a build without a denoiser gets three times as many.
        threads: or None for all cores; the images don't depend on it.
        seed: of the sampler.
        device: the processor that renders, of `generator.jobs.devices.DEVICES`.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    use_device(scene, device)
    _set_sampling(scene.cycles, samples, seed % 2**31)
    render = scene.render
    render.use_persistent_data = True
    render.threads_mode = "AUTO" if threads is None else "FIXED"
    if threads is not None:
        render.threads = threads
    render.film_transparent = False
    render.dither_intensity = 0.0
    render.use_file_extension = False
    render.use_compositing = render.use_sequencer = False
    render.use_border = False
    _silence_stamps(render)
    scene.view_settings.look = "None"
    scene.view_settings.exposure, scene.view_settings.gamma = 0.0, 1.0
    scene.display_settings.display_device = "sRGB"
    return scene


def _set_sampling(cycles: Any, samples: int, seed: int) -> None:
    cycles.seed = seed
    cycles.use_animated_seed = False
    cycles.use_adaptive_sampling = False
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 4, 2, 2
    cycles.transmission_bounces, cycles.transparent_max_bounces, cycles.volume_bounces = 4, 4, 0
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_direct, cycles.sample_clamp_indirect = 12.0, 3.0
    cycles.blur_glossy = 0.5
    cycles.use_auto_tile = False
    cycles.pixel_filter_type, cycles.filter_width = "BLACKMAN_HARRIS", 1.5
    if has_denoiser():
        cycles.use_denoising = True
        cycles.denoiser = "OPENIMAGEDENOISE"
        cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
        cycles.denoising_prefilter = "FAST"
        cycles.samples = samples
    else:
        cycles.use_denoising = False
        cycles.samples = 3 * samples
        warn_once(
            f"Blender {version()} has no OpenImageDenoise here: {3 * samples} samples are rendered instead of {samples}"
        )


def _silence_stamps(render: Any) -> None:
    """No metadata in the images: dates and times would make equal images differ."""
    for name in dir(render):
        if name.startswith("use_stamp"):
            setattr(render, name, False)
    render.metadata_input = "SCENE"
