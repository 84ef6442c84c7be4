"""The stage `generate`: a seed becomes a rendered capture, in a Blender of its own."""

from __future__ import annotations

import logging
from pathlib import Path

from capture import Capture
from capture.derived import shorten
from factory.stages.blender import rendering_of, run_blender
from factory.stages.commands import log_path
from factory.stages.failures import StageError
from factory.stages.registry import StageInput
from factory.stages.render_values import render_options
from factory.stages.reuse import is_rendered
from factory.stages.seeds import head_name
from factory.stages.settings import UNRESTRICTED, Execution, RenderSettings
from factory.stages.stamps import run_stamped
from factory.stages.usage import Usage
from generator.jobs.heads import CaptureJob, HeadRequest
from generator.jobs.output_folder import forget_former

log = logging.getLogger(__name__)


def generate_stage(head: StageInput) -> None:
    """`generate_head`, as the row of the registry of stages calls it."""
    generate_head(head.seed, head.root, head.render, head.execution)


def generate_head(
    seed: int, root: Path, settings: RenderSettings, execution: Execution = UNRESTRICTED, *, force: bool = False
) -> Path:
    """Render one head into `<root>/head_<seed>` unless it is whole there; returns the folder.

    What is there of another head is removed: `refuse_former_heads` asks before. Raises `InputError` where a person
    painted labels of its scan, and where settings don't fit, `StageError` where Blender fails.
    """
    folder, options = Path(root) / head_name(seed), {"seed": seed, **render_options(settings)}
    if not force and is_rendered(folder, options):
        log.info("%s is complete: not rendered again", folder)
        return folder
    if removed := forget_former(folder):
        log.info("%s: %s removed, which came of the former images", folder, shorten(removed))
    head = HeadRequest(folder.resolve(), seed, settings.distributions)
    job = CaptureJob((head,), rendering_of(settings), execution.threads)

    def render() -> Usage:
        log_file = log_path(folder, "generate")
        what = f"generate {folder.name}"
        used = run_blender(job, log_file.with_suffix(".json"), settings.blender, what, log_file, execution)
        if not (folder / Capture.INFO).is_file():  # a Blender that can't run the script ends with code 0
            raise StageError(f"{what} ended without a capture; its output is in {log_file}")
        return used

    run_stamped(folder, "generate", options, render, lambda used: used)
    return folder
