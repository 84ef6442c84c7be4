"""Captures of heads, inside Blender: from specs to folders on disk."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from assets.head_models.head_model import HeadModel
from assets.head_models.registry import load_head_model
from assets.library import Library, open_library
from capture import Capture, CaptureInfo, write_json
from capture.derived import shorten
from capture.files import check_output
from capture.runtime.progress import StepProgress, StepTimes
from generator.asset_selection import credits_of
from generator.blender.build import build_scene
from generator.blender.jobs.versions import render_versions
from generator.blender.output import Report
from generator.blender.passes import render_masks
from generator.blender.render import render_images
from generator.blender.world import hdri_path
from generator.cameras.rig import rig_cameras
from generator.jobs.heads import CaptureJob
from generator.jobs.output_folder import forget_former, refuse_painted
from generator.spec import HeadSpec

log = logging.getLogger(__name__)


@dataclass
class Stopwatch:
    """Seconds spent per stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    def time(self, stage: str, work: Callable[[], Any]) -> Any:
        """Do the work, count its time."""
        start = time.perf_counter()
        result = work()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start
        return result


def render_captures(job: CaptureJob, report: Report) -> None:
    """Render the heads of a job one after the other, and report on each.

    Raises `InputError` before the first where a head can't be drawn, or a folder can't be written or holds what a
    person painted.
    """
    model, library = load_head_model(job.rendering.head_model), open_library(job.rendering.library)
    specs = [head.recipe(model, library) for head in job.heads]
    if job.spec_only:
        for head, spec in zip(job.heads, specs, strict=True):
            write_json(head.folder / "spec.json", spec.to_json())
        return
    for head in job.heads:
        refuse_painted(head.folder)
        check_output(head.folder / Capture.INFO)
    for head, spec in zip(job.heads, specs, strict=True):
        name = head.folder.name
        report(StepProgress(name, "start", 0, 1))
        seconds = capture_head(spec, model, library, head.folder, job, _steps(name, report))
        report(StepProgress(name, "done", 1, 1))
        report(StepTimes(name, {step: round(took, 2) for step, took in seconds.items()}))


def _steps(name: str, report: Report) -> Callable[[str, int, int], None]:
    return lambda step, done, total: report(StepProgress(name, step, done, total))


def capture_head(
    spec: HeadSpec,
    model: HeadModel,
    library: Library,
    folder: Path,
    job: CaptureJob,
    progress: Callable[[str, int, int], None],
) -> dict[str, float]:
    """Render a head into a capture folder (see the design); `capture.json` is written last.

    What an earlier run left in the folder is removed first. Raises `InputError` where the folder's name is no id for a
    capture, the folder can't be written, or a person painted labels of the scan in it.

    Returns:
        seconds per stage: head, world, dress, objects, export, first view, other views, develop, masks.
    """
    versions = render_versions(model)
    # refuses names before hours are spent
    info = CaptureInfo(folder.name, spec.seed, spec.to_json(), versions, _credits(spec, library), _traits(spec, model))
    watch, chosen = Stopwatch(), job.rendering
    scene, head, cameras = build_scene(
        spec,
        model,
        lambda centre, radius: rig_cameras(spec.rig, centre, radius, chosen.side),
        chosen.samples,
        job.threads,
        watch.time,
        library,
        chosen.device,
    )
    if removed := forget_former(folder):
        log.info("%s: %s removed, which came of the former images", folder, shorten(removed))
    watch.time("export", lambda: head.surface().write(folder / Capture.HEAD))
    light = spec.environment
    images = folder / "images"
    developed = (spec.sensor, spec.photo, watch.time, light.black, light.transparent)
    render_images(scene, cameras, images, progress, *developed)
    scene.render.film_transparent = False  # masks know the background by its number
    watch.time("masks", lambda: render_masks(scene, cameras, folder / "masks", progress, chosen.passes))
    Capture.create(folder, cameras, info)
    log.info("%s: %s", folder.name, ", ".join(f"{k} {v:.1f} s" for k, v in watch.seconds.items()))
    return watch.seconds


def _traits(spec: HeadSpec, model: HeadModel) -> dict[str, float]:
    return {name: float(value) for name, value in model.traits(np.array(spec.shape.identity)).items()}


def _credits(spec: HeadSpec, library: Library) -> tuple[dict[str, str], ...]:
    return tuple(credits_of(spec, library, hdri_path))
