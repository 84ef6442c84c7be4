"""The command line that runs inside Blender's Python: arguments to a job, and the job done."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

from capture import InputError
from capture.errors import with_option_names
from generator.blender.jobs.annotation import write_annotation
from generator.blender.jobs.capture import render_captures
from generator.blender.jobs.labelled import write_labelled
from generator.blender.jobs.overlay import render_overlay
from generator.blender.jobs.paint import read_paint
from generator.blender.jobs.preview import render_preview
from generator.blender.jobs.scene import write_scene
from generator.blender.output import Report, progress_lines
from generator.jobs.annotation import AnnotationJob
from generator.jobs.arguments import option_names, parse_job
from generator.jobs.files import Job
from generator.jobs.heads import CaptureJob, PreviewJob
from generator.jobs.labelled import LabelledJob
from generator.jobs.overlay import OverlayJob
from generator.jobs.scene import SceneJob


def main(arguments: Sequence[str]) -> int:
    """Run; returns the exit code. `InputError` becomes one line on stderr and code 2."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    of_job = any(word.partition("=")[0] == "--job" for word in arguments)
    names = {} if of_job else option_names()  # who wrote the job calls parameters as its own options
    try:
        job = parse_job(arguments)
        with progress_lines() as report:
            run_job(job, report)
    except InputError as error:
        sys.stderr.write(f"error: {with_option_names(str(error), names)}\n")
        return 2
    except SystemExit as stop:  # --help
        return int(stop.code or 0)
    return 0


def run_job(job: Job, report: Report) -> None:
    """Do a job; raises `InputError` where something that it names is missing or doesn't fit."""
    if isinstance(job, CaptureJob):
        render_captures(job, report)
    elif isinstance(job, PreviewJob):
        render_preview(job, report)
    elif isinstance(job, OverlayJob):
        render_overlay(job, report)
    elif isinstance(job, AnnotationJob):
        write_annotation(job)
    elif isinstance(job, LabelledJob):
        write_labelled(job)
    elif isinstance(job, SceneJob):
        write_scene(job)
    else:
        read_paint(job)
