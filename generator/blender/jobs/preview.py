"""Several heads in one process, images alone: what a contact sheet is made of."""

from __future__ import annotations

from assets.head_models.registry import load_head_model
from assets.library import open_library
from capture.progress import StepProgress
from generator.blender.build import build_scene
from generator.blender.output import Report
from generator.blender.render import render_images
from generator.cameras.rig import RigSpec, rig_cameras
from generator.jobs.heads import PreviewJob


def render_preview(job: PreviewJob, report: Report) -> None:
    """Render `view_<index>.png` of every head into its folder; reports after each head."""
    chosen, rig = job.rendering, RigSpec.around(job.views)
    model, library = load_head_model(chosen.head_model), open_library(chosen.library)
    specs = [head.recipe(model, library) for head in job.heads]
    for index, (head, spec) in enumerate(zip(job.heads, specs, strict=True)):
        scene, built, radius = build_scene(
            spec, model, chosen.samples, job.threads, lambda stage, work: work(), library, chosen.device
        )
        cameras = rig_cameras(rig, built.centre, radius, chosen.side)
        render_images(scene, cameras, head.folder, lambda *step: None, spec.sensor)
        report(StepProgress(head.folder.name, "head", index + 1, len(specs)))
