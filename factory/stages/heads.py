"""Many heads one after the other: rendered only, or through every stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from factory.console import Series
from factory.stages.generate import generate_head
from factory.stages.registry import STAGES, StageInput
from factory.stages.render_values import render_options
from factory.stages.reuse import refuse_former
from factory.stages.scene import save_scene
from factory.stages.seeds import head_name
from factory.stages.settings import Execution, RenderSettings, ScanSettings


def generate_heads(
    seeds: Sequence[int],
    root: Path,
    settings: RenderSettings,
    *,
    threads: int | None = None,
    force: bool = False,
    scenes: bool = False,
) -> list[Path]:
    """Render the heads of `seeds` in `root`; what is whole is reused, unless `force`. `threads` None is all cores.

    With `scenes` the scene of each is saved beside its images.

    Raises as `generate_head` and `refuse_former_heads` do, the latter before the first head is rendered.
    """
    refuse_former_heads(seeds, root, settings, force=force)

    def make(seed: int, execution: Execution) -> Path:
        limited = replace(execution, threads=threads)
        folder = generate_head(seed, root, settings, limited, force=force)
        if scenes:
            save_scene(folder, settings, limited)
        return folder

    return _one_by_one(seeds, make)


def refuse_former_heads(seeds: Sequence[int], root: Path, settings: RenderSettings, *, force: bool = False) -> None:
    """Raise `InputError` where rendering would take the place of captures of other options, or of painted labels.

    With `force`, of painted labels only.
    """
    options = render_options(settings)
    for seed in seeds:
        folder = Path(root) / head_name(seed)
        if folder.is_dir():
            refuse_former(folder, {"seed": seed, **options}, force=force)


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
