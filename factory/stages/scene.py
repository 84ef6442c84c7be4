"""Scenes of rendered heads as files that people open in Blender and elsewhere."""

from __future__ import annotations

import logging
from pathlib import Path

from capture import Capture
from factory.stages.blender import rendering_of, run_blender
from factory.stages.commands import log_path
from factory.stages.failures import StageError
from factory.stages.settings import UNRESTRICTED, Execution, RenderSettings
from generator.jobs.heads import HeadRequest
from generator.jobs.scene import BLEND, GLB, SceneJob
from generator.spec import HeadSpec

log = logging.getLogger(__name__)


def save_scene(folder: Path, settings: RenderSettings, execution: Execution = UNRESTRICTED) -> None:
    """Save the scene of a rendered head into its capture, unless it is there.

    Rendering anew removes it. Raises `InputError` where Blender refuses, `StageError` where it fails.
    """
    paths = [folder / BLEND, folder / GLB]
    if all(path.is_file() for path in paths):
        return
    info = Capture.read(folder).info
    spec = HeadSpec.from_json(info.spec, str(folder / Capture.INFO))
    head = HeadRequest(folder.resolve(), spec=spec, where=str(folder / Capture.INFO))
    log_file = log_path(folder, "scene")
    what = f"scene of {folder.name}"
    job = SceneJob(head, rendering_of(settings))
    run_blender(job, log_file.with_suffix(".json"), settings.blender, what, log_file, execution)
    if missing := [path for path in paths if not path.is_file()]:
        raise StageError(f"{what}: Blender wrote no {missing[0].name}; its output is in {log_file}")
    log.info("%s, %s", *paths)
