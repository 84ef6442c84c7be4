"""The stage `label`: a scan gets its labels, in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from factory.stages.commands import run_command
from factory.stages.registry import StageInput
from factory.stages.settings import UNRESTRICTED, Execution, ScanSettings
from factory.stages.stamps import is_whole, stage_key
from labeling.settings import LabelSettings


def label_stage(head: StageInput) -> None:
    """`label_head`, as the row of the registry of stages calls it."""
    label_head(head.folder, head.scan, head.execution)


def label_head(folder: Path, settings: ScanSettings, execution: Execution = UNRESTRICTED) -> None:
    """Label the scan of one capture unless it is whole."""
    options = label_options(settings.labels)
    if not is_whole(folder, "label", stage_key(folder, "label", options)):
        run_command("label", folder, options, execution)


def label_options(settings: LabelSettings) -> dict[str, Any]:
    """The options that the stamp of labels depends on."""
    return {"threshold_mm": settings.threshold_mm, "skin_parts": sorted(settings.skin_parts)}
