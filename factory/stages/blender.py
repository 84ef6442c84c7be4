"""Blender, started with a job."""

from __future__ import annotations

import sys
from pathlib import Path

from assets.head_models.registry import is_default
from factory.stages.processes import run_stage
from factory.stages.settings import UNRESTRICTED, Execution, RenderSettings
from factory.stages.usage import Usage
from generator.cameras.rig import fixes_resolution
from generator.jobs.files import Job, write_job
from generator.jobs.rendering import Rendering

_SCRIPT = Path(__file__).resolve().parents[2] / "blender_scripts" / "generate.py"


def run_blender(
    job: Job,
    file: Path,
    blender: Path | None,
    what: str,
    log_path: Path,
    execution: Execution = UNRESTRICTED,
    flags: tuple[str, ...] = (),
) -> Usage:
    """Have Blender do a job. It ends with code 0 also where it can't run the script: look for what the job leaves.

    Args:
        job: what to do.
        file: that the job is written to, for Blender to read, and for whoever wants to see it or do it again.
        blender: a Blender binary; None for the bpy wheel in this Python.
        what: names the stage and the capture in errors.
        log_path: where the output goes.
        execution: limits, and the bar that shows the progress.
        flags: further options of a Blender binary.

    Raises:
        InputError: it could not be started, or refuses the job.
        StageError: it crashed, or went beyond its limits.
    """
    write_job(file, job)
    command: list[str | Path] = [sys.executable, _SCRIPT]
    if blender is not None:
        command = [blender, "--background", *flags, "--python", _SCRIPT, "--"]

    command += ["--job", file]
    limits, threads, scratch = execution.limits, execution.threads, execution.scratch
    return run_stage(command, what, log_path, execution.show, limits, threads, scratch)


def rendering_of(settings: RenderSettings) -> Rendering:
    """The rendering options of a job; its paths are the same in every folder."""
    model = settings.head_model if is_default(settings.head_model) else str(Path(settings.head_model).resolve())
    fixed = fixes_resolution(settings.distributions.overrides.get("rig"))
    return Rendering(
        None if fixed else settings.resolution,
        settings.samples,
        tuple(place.resolve() for place in settings.library),
        model,
        settings.device,
        settings.passes,
    )
