"""Blender for annotations: its jobs, and where their output goes."""

from __future__ import annotations

from pathlib import Path

from capture import InputError
from factory.stages.blender import run_blender
from generator.jobs.annotation import AnnotationJob, PaintJob


def run_job(job: AnnotationJob | PaintJob, folder: Path, blender: Path | None, what: str, out: Path) -> None:
    """Have Blender do a job; its output is kept beside `out` where it fails. No code in what it opens is run."""
    log_path = out.with_name(f".{out.stem}.log")
    try:
        run_blender(job, folder / "job.json", blender, what, log_path, flags=("--disable-autoexec",))
    except InputError:  # says it all; a crash keeps its output
        log_path.unlink(missing_ok=True)
        raise
    if not job.out.is_file():  # what can't run the script ends with code 0
        raise InputError(f"{blender or 'bpy'} made no file: is it Blender 3.4 or later? Its output is in {log_path}")
    log_path.unlink(missing_ok=True)
