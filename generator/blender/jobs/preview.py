"""Several heads in one process, images alone: what a contact sheet is made of."""

from __future__ import annotations

from pathlib import Path

from assets.head_models.head_model import HeadModel
from assets.head_models.registry import load_head_model
from assets.library import Library, open_library
from capture import InputError, write_json
from capture.runtime.progress import StepProgress
from generator.blender.build import build_scene
from generator.blender.output import Report
from generator.blender.render import render_images
from generator.cameras.rig import RigSpec, rig_cameras
from generator.jobs.heads import PreviewJob
from generator.spec import HeadSpec


def render_preview(job: PreviewJob, report: Report) -> None:
    """Render `view_<index>.png` of every head into its folder, or write why it can't be made; reports after each."""
    model, library = load_head_model(job.rendering.head_model), open_library(job.rendering.library)
    specs = [head.recipe(model, library) for head in job.heads]
    for index, (head, spec) in enumerate(zip(job.heads, specs, strict=True)):
        try:
            _render(job, spec, model, library, head.folder)
        except InputError as error:
            write_json(head.folder / PreviewJob.FAILED, {"reason": str(error)})
        report(StepProgress(head.folder.name, "head", index + 1, len(specs)))


def _render(job: PreviewJob, spec: HeadSpec, model: HeadModel, library: Library, folder: Path) -> None:
    chosen = job.rendering
    rig = RigSpec.around(job.views)
    scene, _, cameras = build_scene(
        spec,
        model,
        lambda centre, radius: rig_cameras(rig, centre, radius, chosen.side),
        chosen.samples,
        job.threads,
        lambda stage, work: work(),
        library,
        chosen.device,
    )
    black = spec.environment.black
    render_images(scene, cameras, folder, lambda *step: None, spec.sensor, spec.photo, black=black)
