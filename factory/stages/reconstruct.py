"""The stage `reconstruct`: a capture gets its scan, in a process of its own."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from factory.stages.commands import run_command
from factory.stages.registry import StageInput
from factory.stages.settings import UNRESTRICTED, Execution, ScanSettings
from factory.stages.stamps import is_whole, stage_key
from reconstruction.settings import ReconstructionSettings


def reconstruct_stage(head: StageInput) -> None:
    """`reconstruct_head`, as the row of the registry of stages calls it."""
    reconstruct_head(head.folder, head.scan, head.execution)


def reconstruct_head(folder: Path, settings: ScanSettings, execution: Execution = UNRESTRICTED) -> None:
    """Rebuild the scan of one capture unless it is whole."""
    options = reconstruct_options(settings.reconstruction)
    if not is_whole(folder, "reconstruct", stage_key(folder, "reconstruct", options)):
        threads = {} if execution.threads is None else {"threads": execution.threads}
        run_command("reconstruct", folder, options | threads, execution)


def reconstruct_options(settings: ReconstructionSettings) -> dict[str, Any]:
    """The options that the stamp of a scan depends on: backend and vertices, and what is not at its default."""
    changed = {
        each.name: getattr(settings, each.name)
        for each in fields(settings)
        if each.name != "threads" and getattr(settings, each.name) != each.default
    }
    return {"backend": settings.backend, "vertices": settings.vertices} | changed
