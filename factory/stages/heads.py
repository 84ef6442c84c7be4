"""From seeds to labelled scans: every stage of every head, in processes of their own, one after the other."""

from __future__ import annotations

import hashlib
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from assets.head_models.registry import DEFAULT, is_default, load_head_model
from assets.library import open_library
from assets.makehuman.model import model_version
from capture import Capture, InputError
from factory.console import Series
from factory.stages.blender import rendering_of, run_blender
from factory.stages.failures import StageError
from factory.stages.processes import run_stage
from factory.stages.registry import STAGES, StageInput
from factory.stages.settings import FREELY, Execution, RenderSettings, ScanSettings
from factory.stages.stamps import is_whole, run_stamped, stage_key
from factory.stages.usage import Usage
from generator.cameras.rig import fixes_resolution, read_rig
from generator.distributions import Distributions, read_distributions
from generator.jobs.heads import CaptureJob, HeadRequest
from generator.jobs.output_folder import forget_former
from generator.jobs.rendering import SIDE
from generator.sampling import sample_spec
from labeling.settings import LabelSettings
from reconstruction.settings import ReconstructionSettings

log = logging.getLogger(__name__)

HIGHEST_SEED = 99_999_999  # what eight digits in a capture's name hold


def parse_seeds(text: str) -> list[int]:
    """The seeds in "5", "0:8" (the end left out) or "1,4,9"; raises `InputError` where it is something else."""
    try:
        if ":" in text:
            first, end = map(int, text.split(":"))
            seeds: Sequence[int] = range(first, end)
        else:
            seeds = [int(word) for word in text.split(",")]
    except ValueError:
        raise InputError(f"seeds {text!r}: give one number, a range like 0:8 or a list like 1,4,9") from None
    if not seeds:
        raise InputError(f"seeds {text!r}: the range is empty")
    ends = (seeds[0], seeds[-1]) if isinstance(seeds, range) else seeds
    if min(ends) < 0 or max(ends) > HIGHEST_SEED:
        raise InputError(f"seeds {text!r}: seeds lie between 0 and {HIGHEST_SEED}")
    return list(dict.fromkeys(seeds))


def read_overrides(
    path: Path | None,
    more: Mapping[str, Mapping[str, Any]] | None = None,
    rig: Path | None = None,
    library: Sequence[Path] = (),
    head_model: str = DEFAULT,
) -> Distributions:
    """The distributions of a file, if any, with further overrides and the rig of a file; those that are None are left
    out.

    A head is drawn and thrown away, so that a mistake is told before Blender starts. Raises `InputError`.
    """
    given = Distributions() if path is None else read_distributions(path)
    overrides = {name: override for name, override in (more or {}).items() if None not in override.values()}
    joined = given.joined(overrides if rig is None else {**overrides, "rig": read_rig(rig)})
    if joined.overrides or library or not is_default(head_model):
        sample_spec(0, load_head_model(head_model), joined, open_library(library))
    return joined


def choose_resolution(resolution: int | None, overrides: Distributions) -> int:
    """Pixels of a side: what the user says, or the default. Raises `InputError` where the rig says it, too."""
    if resolution is not None and fixes_resolution(overrides.overrides.get("rig")):
        raise InputError("`resolution`: the rig says how many pixels its images have; leave one of them out")
    return SIDE if resolution is None else resolution


def head_name(seed: int) -> str:
    """The id and folder name of a synthetic head."""
    return f"head_{seed:08d}"


def generate_head(
    seed: int, root: Path, settings: RenderSettings, execution: Execution = FREELY, *, force: bool = False
) -> Path:
    """Render one head into `<root>/head_<seed>` unless it is whole there; returns the folder.

    What is there of another head is removed. Raises `InputError` where a person painted labels of its scan, and where
    settings don't fit, `StageError` where Blender fails.
    """
    folder = Path(root) / head_name(seed)
    plain = {"seed": seed, **_plain(settings)}
    if is_whole(folder, "generate", stage_key(folder, "generate", plain)) and not force:
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

    run_stamped(folder, "generate", plain, render, lambda used: used)
    return folder


def reconstruct_head(folder: Path, settings: ScanSettings, execution: Execution = FREELY) -> None:
    """Rebuild the scan of one capture unless it is whole."""
    options = reconstruct_options(settings.reconstruction)
    if is_whole(folder, "reconstruct", stage_key(folder, "reconstruct", options)):
        return
    words = [word for name, value in options.items() for word in _option(name, value)]
    if execution.threads is not None:
        words += ["--threads", str(execution.threads)]
    _run(p2p("reconstruct", folder, *words), folder, "reconstruct", execution)


def label_head(folder: Path, settings: ScanSettings, execution: Execution = FREELY) -> None:
    """Label the scan of one capture unless it is whole."""
    options = label_options(settings.labels)
    if not is_whole(folder, "label", stage_key(folder, "label", options)):
        words = [word for name, value in options.items() for word in _option(name, value)]
        _run(p2p("label", folder, *words), folder, "label", execution)


def generate_stage(head: StageInput) -> None:
    """`generate_head` as a row of the registry of stages runs it."""
    generate_head(head.seed, head.root, head.render, head.execution)


def reconstruct_stage(head: StageInput) -> None:
    """`reconstruct_head`, likewise."""
    reconstruct_head(head.folder, head.scan, head.execution)


def label_stage(head: StageInput) -> None:
    """`label_head`, likewise."""
    label_head(head.folder, head.scan, head.execution)


def reconstruct_options(settings: ReconstructionSettings) -> dict[str, Any]:
    """What the stamp of a scan depends on: backend and vertices, and what is not at its default."""
    changed = {
        each.name: getattr(settings, each.name)
        for each in fields(settings)
        if each.name != "threads" and getattr(settings, each.name) != each.default
    }
    return {"backend": settings.backend, "vertices": settings.vertices} | changed


def label_options(settings: LabelSettings) -> dict[str, Any]:
    """What the stamp of labels depends on."""
    return {"threshold_mm": settings.threshold_mm, "skin_parts": sorted(settings.skin_parts)}


def _option(name: str, value: Any) -> list[str]:
    """A setting as words of a command line."""
    text = "null" if value is None else ",".join(value) if isinstance(value, list) else str(value)
    return [f"--{name.replace('_', '-')}", text]


def make_heads(seeds: Sequence[int], root: Path, render: RenderSettings, scan: ScanSettings) -> list[Path]:
    """Render, rebuild and label the heads of `seeds` in `root`; what is whole is reused."""
    folders = []
    series = Series(len(seeds))
    for seed in seeds:
        with series.track(head_name(seed)) as bar:
            head = StageInput(seed, root, root / head_name(seed), render, scan, Execution(bar=bar))
            for stage in STAGES.values():
                stage.load()(head)
        folders.append(head.folder)
    return folders


def p2p(*words: object) -> list[str]:
    """The command line that runs `p2p` with this Python."""
    return [sys.executable, "-m", "factory.cli", *map(str, words)]


def content_of(settings: RenderSettings) -> dict[str, Any]:
    """What images depend on, as plain values that are the same on every machine with the same assets and model."""
    value = {name: each for name, each in settings.values().items() if name not in ("blender", "library")}
    value["distributions"] = settings.distributions.to_json()
    value["passes"] = list(settings.passes)
    value["head_model"] = _model_content(settings.head_model)
    library = json.dumps(_library_content(settings.library), sort_keys=True)
    value["library"] = hashlib.sha256(library.encode()).hexdigest()[:16]
    return value


def _run(command: Sequence[object], folder: Path, stage: str, execution: Execution) -> Usage:
    """Run a stage's process."""

    def show(what: str, done: int, total: int) -> None:
        if execution.bar is not None:
            execution.bar(done, what, total)

    words, what = [str(word) for word in command], f"{stage} {folder.name}"
    return run_stage(words, what, log_path(folder, stage), show, execution.limits, execution.threads, execution.scratch)


def log_path(folder: Path, stage: str) -> Path:
    """Where the output of a capture's stage is kept."""
    return folder.parent / "logs" / f"{folder.name}.{stage}.log"


@cache
def _model_content(head_model: str) -> str:
    """The version of a head model; that of the default is known without its data."""
    return model_version() if is_default(head_model) else load_head_model(head_model).version


@cache
def _library_content(folders: tuple[Path, ...]) -> dict[str, list[object]]:
    """id -> weight and checksum of every asset, as others draw and show otherwise."""
    return {name: [asset.weight, asset.sha256] for name, asset in open_library(folders).assets.items()}


def _plain(settings: RenderSettings) -> dict[str, Any]:
    """The settings as plain values; the Blender binary by its path and time, as another version draws otherwise."""
    value = settings.values()
    value["distributions"] = settings.distributions.to_json()
    value["library"] = _library_content(settings.library)
    value["head_model"] = [settings.head_model, _model_content(settings.head_model)]
    if settings.device == "cpu":
        del value["device"]  # stamps from before there was a choice stay good
    if settings.blender is not None:
        value["blender"] = [str(settings.blender.resolve()), settings.blender.stat().st_mtime_ns]
    return value
