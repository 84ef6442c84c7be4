"""From seeds to labelled scans: every stage of a head, in a process of its own, and many heads one after the other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from capture import Capture
from capture.labels import is_painted
from factory.console import Series
from factory.stages.blender import rendering_of, run_blender
from factory.stages.commands import log_path, run_command
from factory.stages.failures import StageError
from factory.stages.registry import STAGES, StageInput
from factory.stages.seeds import head_name
from factory.stages.settings import UNRESTRICTED, Execution, RenderSettings, ScanSettings
from factory.stages.stamp_values import label_options, reconstruct_options, render_options
from factory.stages.stamps import is_whole, run_stamped, stage_key
from factory.stages.usage import Usage
from generator.jobs.heads import CaptureJob, HeadRequest
from generator.jobs.output_folder import forget_former, refuse_painted

log = logging.getLogger(__name__)


def generate_head(
    seed: int, root: Path, settings: RenderSettings, execution: Execution = UNRESTRICTED, *, force: bool = False
) -> Path:
    """Render one head into `<root>/head_<seed>` unless it is whole there; returns the folder.

    What is there of another head is removed. Raises `InputError` where a person painted labels of its scan, and where
    settings don't fit, `StageError` where Blender fails.
    """
    folder, options = Path(root) / head_name(seed), {"seed": seed, **render_options(settings)}
    if not force and _is_rendered(folder, options):
        log.info("%s is whole: not rendered again", folder)
        return folder
    forget_former(folder)
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


def _is_rendered(folder: Path, options: Mapping[str, Any]) -> bool:
    return is_whole(folder, "generate", stage_key(folder, "generate", options))


def reconstruct_head(folder: Path, settings: ScanSettings, execution: Execution = UNRESTRICTED) -> None:
    """Rebuild the scan of one capture unless it is whole."""
    options = reconstruct_options(settings.reconstruction)
    if not is_whole(folder, "reconstruct", stage_key(folder, "reconstruct", options)):
        threads = {} if execution.threads is None else {"threads": execution.threads}
        run_command("reconstruct", folder, options | threads, execution)


def label_head(folder: Path, settings: ScanSettings, execution: Execution = UNRESTRICTED) -> None:
    """Label the scan of one capture unless it is whole."""
    options = label_options(settings.labels)
    if not is_whole(folder, "label", stage_key(folder, "label", options)):
        run_command("label", folder, options, execution)


def generate_stage(head: StageInput) -> None:
    """`generate_head` as a row of the registry of stages runs it."""
    generate_head(head.seed, head.root, head.render, head.execution)


def reconstruct_stage(head: StageInput) -> None:
    """`reconstruct_head`, likewise."""
    reconstruct_head(head.folder, head.scan, head.execution)


def label_stage(head: StageInput) -> None:
    """`label_head`, likewise."""
    label_head(head.folder, head.scan, head.execution)


def generate_heads(seeds: Sequence[int], root: Path, settings: RenderSettings, *, force: bool = False) -> list[Path]:
    """Render the heads of `seeds` in `root`; what is whole is reused, unless `force`.

    Raises as `generate_head` does, and before the first head is rendered, where a person painted labels of any.
    """
    for seed in seeds:
        folder = Path(root) / head_name(seed)
        options = {"seed": seed, **render_options(settings)}
        if is_painted(folder / Capture.LABELS) and (force or not _is_rendered(folder, options)):
            refuse_painted(folder)
    return _one_by_one(seeds, lambda seed, execution: generate_head(seed, root, settings, execution, force=force))


def make_heads(seeds: Sequence[int], root: Path, render: RenderSettings, scan: ScanSettings) -> list[Path]:
    """Render, rebuild and label the heads of `seeds` in `root`; what is whole is reused."""

    def make(seed: int, execution: Execution) -> Path:
        head = StageInput(seed, root, root / head_name(seed), render, scan, execution)
        for stage in STAGES.values():
            stage.load()(head)
        return head.folder

    return _one_by_one(seeds, make)


def _one_by_one(seeds: Sequence[int], make: Callable[[int, Execution], Path]) -> list[Path]:
    """Make heads; a bar says which one it is and how long all that are left will take."""
    folders, series = [], Series(len(seeds))
    for seed in seeds:
        with series.track(head_name(seed)) as bar:
            folders.append(make(seed, Execution(bar=bar)))
    return folders
