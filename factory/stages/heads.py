"""Many heads one after the other: rendered only, or through every stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from capture import Capture
from capture.labels import is_painted
from factory.console import Series
from factory.stages.generate import generate_head, is_rendered
from factory.stages.registry import STAGES, StageInput
from factory.stages.render_values import render_options
from factory.stages.seeds import head_name
from factory.stages.settings import Execution, RenderSettings, ScanSettings
from generator.jobs.output_folder import refuse_painted


def generate_heads(seeds: Sequence[int], root: Path, settings: RenderSettings, *, force: bool = False) -> list[Path]:
    """Render the heads of `seeds` in `root`; what is whole is reused, unless `force`.

    Raises as `generate_head` does, and before the first head is rendered, where a person painted labels of any.
    """
    for seed in seeds:
        folder = Path(root) / head_name(seed)
        options = {"seed": seed, **render_options(settings)}
        if is_painted(folder / Capture.LABELS) and (force or not is_rendered(folder, options)):
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
