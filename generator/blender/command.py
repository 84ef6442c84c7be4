"""The command line that runs inside Blender's Python (standard library only)."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from assets.head_models.head_model import HeadModel
from assets.head_models.registry import DEFAULT, load_head_model
from assets.library import Library, open_library
from capture import InputError, read_json, write_json
from capture.progress import StepProgress, StepTimes
from generator.asset_selection import assets_of
from generator.blender.jobs.annotation import read_annotation, write_annotation
from generator.blender.jobs.capture import RenderSettings, capture_head
from generator.blender.jobs.overlay import render_overlay
from generator.blender.jobs.preview import PreviewPlan, render_preview
from generator.cameras.rig import fixes_resolution, read_rig
from generator.components.beard import FAMILIES as BEARDS
from generator.components.environment import HDRIS
from generator.components.hair import FAMILIES
from generator.distributions import Distributions, read_distributions
from generator.jobs.devices import DEVICES
from generator.jobs.ground_truth import PASSES, parse_passes
from generator.jobs.output_folder import refuse_painted
from generator.jobs.overlay import OverlayPlan
from generator.sampling import sample_spec
from generator.spec import HeadSpec


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are `InputError`."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see --help")


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = _Parser(prog="generate.py", description="Render captures of synthetic heads.", allow_abbrev=False)
    made.add_argument("--seed", type=int, action="append", default=[], help="a head's seed; may be repeated")
    made.add_argument("--seeds", help="a range FIRST:LAST of seeds, LAST not included")
    made.add_argument("--out", type=Path, help="the capture's folder, for a single seed")
    made.add_argument("--out-root", type=Path, help="the folder that gets head_<seed> folders")
    made.add_argument("--spec", type=Path, help="a HeadSpec (JSON) to render instead of drawing one; needs --out")
    made.add_argument("--resolution", type=int, help="pixels of a side, 512 by default")
    made.add_argument("--samples", type=int, default=16, help="per pixel")
    made.add_argument("--device", choices=DEVICES, default="cpu", help="what renders")
    made.add_argument("--threads", type=int, help="default: all cores")
    made.add_argument("--distributions", type=Path, help="what to draw otherwise, JSON or YAML: see docs/generator.md")
    made.add_argument("--passes", help=f"ground truth beside the masks: {','.join(PASSES)}")
    made.add_argument("--rig", type=Path, help="cameras of your own, JSON or YAML: see docs/generator.md")
    made.add_argument(
        "--library",
        type=Path,
        action="append",
        default=[],
        help="folder of an asset library; may be repeated, later ones go before",
    )
    made.add_argument(
        "--head-model",
        default=DEFAULT,
        help="makehuman, an ICT-FaceKit folder or an .npz file: see docs/head_models.md",
    )
    made.add_argument("--hair", choices=list(FAMILIES), help="instead of drawing the family")
    made.add_argument("--beard", choices=list(BEARDS), help="instead of drawing the family")
    made.add_argument("--hdri", help=f"instead of drawing the panorama: {', '.join(HDRIS)}, or the id of an asset")
    made.add_argument("--neutral", action="store_true", help="no expression, no turned head")
    made.add_argument("--preview", type=Path, help="a plan of `p2p preview`, to render instead of captures")
    made.add_argument("--annotation", type=Path, help="a job of `p2p annotate`, instead of captures")
    made.add_argument("--overlay", type=Path, help="a plan of `p2p blend`: hair alone, with alpha, instead of captures")
    made.add_argument("--spec-only", action="store_true", help="write spec.json, don't render")
    return made


def main(arguments: Sequence[str]) -> int:
    """Run; returns the exit code. `InputError` becomes one line on stderr and code 2."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    try:
        options = parser().parse_args(list(arguments))
        if options.annotation is not None:
            _annotate(options.annotation)
        else:
            _run(options)
    except InputError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except SystemExit as stop:  # --help
        return int(stop.code or 0)
    return 0


def _run(options: argparse.Namespace) -> None:
    _check(options)
    model, library = load_head_model(options.head_model), open_library(options.library)
    settings = RenderSettings(
        options.resolution or 512, options.samples, options.threads, parse_passes(options.passes), options.device
    )
    if options.preview is not None:
        plan = PreviewPlan.read(options.preview, model, library)
        report = _reporter(options.preview.parent)
        with _quiet_stdout():
            render_preview(plan, model, options.out_root or options.out, settings, library, report)
        return
    if options.overlay is not None:
        hair = OverlayPlan.read(options.overlay)
        report = _reporter(options.overlay.parent)
        with _quiet_stdout():
            render_overlay(hair, model, options.out_root or options.out, settings, library, report)
        return
    jobs = list(_jobs(options, model, library))  # all of them first: a wrong seed is told before the long work
    for _, folder in jobs:
        if not options.spec_only:
            refuse_painted(folder)
    for spec, folder in jobs:
        if options.spec_only:
            write_json(folder / "spec.json", spec.to_json())
            continue
        _say(folder, "start", 0, 1)
        with _quiet_stdout():
            seconds = capture_head(spec, model, folder, settings, _reporter(folder), library)
        _say(folder, "done", 1, 1)
        _tell(StepTimes(folder.name, {step: round(took, 2) for step, took in seconds.items()}).line)


def _annotate(job: Path) -> None:
    """Write a file to paint on, or take the paint out of one."""
    value = read_json(job, "annotation job")
    with _quiet_stdout():
        if "read" in value:
            read_annotation(Path(value["read"]), Path(value["out"]))
        else:
            write_annotation(job)


def _check(options: argparse.Namespace) -> None:
    if not 16 <= (options.resolution or 512) <= 8192 or options.samples < 1:
        raise InputError("--resolution must lie between 16 and 8192, --samples be 1 or more")
    if options.threads is not None and options.threads < 1:
        raise InputError("--threads must be 1 or more")
    if (options.out is None) == (options.out_root is None):
        raise InputError("give either --out FOLDER (one head) or --out-root FOLDER (one or more)")


def _jobs(options: argparse.Namespace, model: HeadModel, library: Library) -> Iterator[tuple[HeadSpec, Path]]:
    """What to render and where."""
    if options.spec is not None:
        if options.out is None or options.seed or options.seeds:
            raise InputError("--spec renders one head: give --out, and no seeds")
        named = ("distributions", "rig", "hair", "beard", "hdri", "neutral")
        if drawn := [f"--{name}" for name in named if getattr(options, name)]:
            raise InputError(f"--spec says all of a head: {', '.join(drawn)} would change nothing; edit the spec")
        value = read_json(options.spec, "head spec")
        if isinstance(value, dict) and isinstance(value.get("spec"), dict):  # a capture.json will do
            value = value["spec"]
        spec = HeadSpec.from_json(value, str(options.spec))
        if spec.shape.model != model.name:
            raise InputError(f"{options.spec}: made for the head model {spec.shape.model!r}, this is {model.name!r}")
        for what in ("identity", "expression"):
            given, wanted = len(getattr(spec.shape, what)), len(getattr(model, f"{what}_names"))
            if given != wanted:
                raise InputError(f"{options.spec}: {given} numbers of {what}, the head model takes {wanted}")
        assets_of(spec, library)
        yield spec, options.out.resolve()
        return
    seeds = list(dict.fromkeys([*options.seed, *_range(options.seeds)]))
    if not seeds:
        raise InputError("no seed; give --seed N or --seeds FIRST:LAST")
    if options.out is not None and len(seeds) != 1:
        raise InputError("--out takes one head; give --out-root for several seeds")
    distributions = _distributions(options)
    for seed in seeds:
        folder = options.out or options.out_root / f"head_{seed:08d}"
        yield sample_spec(seed, model, distributions, library), folder.resolve()


def _distributions(options: argparse.Namespace) -> Distributions:
    """The user's overrides: the file's, and before them what has an option of its own."""
    given = Distributions() if options.distributions is None else read_distributions(options.distributions)
    short = {
        "hair": {"family": options.hair},
        "beard": {"family": options.beard},
        "environment": {"asset" if "/" in (options.hdri or "") else "hdri": options.hdri},
    }
    overrides: dict[str, Any] = {name: override for name, override in short.items() if None not in override.values()}
    if options.neutral:
        overrides |= {"expression": {"strength": 0.0}, "pose": {"strength": 0.0}}
    if options.rig is not None:
        overrides["rig"] = read_rig(options.rig)
    joined = given.joined(overrides)
    if options.resolution is not None and fixes_resolution(joined.overrides.get("rig")):
        raise InputError("--resolution: the rig says how many pixels its images have; leave one of them out")
    return joined


def _range(text: str | None) -> range:
    if text is None:
        return range(0)
    first, separator, last = text.partition(":")
    if not separator or not first.isdecimal() or not last.isdecimal():
        raise InputError(f"--seeds {text}: use FIRST:LAST, as in 0:8")
    return range(int(first), int(last))


def _reporter(folder: Path) -> Callable[[str, int, int], None]:
    return lambda step, done, total: _say(folder, step, done, total)


def _say(folder: Path, step: str, done: int, total: int) -> None:
    _tell(StepProgress(folder.name, step, done, total).line)


def _tell(line: str) -> None:
    os.write(_STDOUT, f"{line}\n".encode())


_STDOUT = 1


@contextlib.contextmanager
def _quiet_stdout() -> Iterator[None]:
    """Send what Blender writes to stdout to nowhere; `_say` keeps the real one."""
    global _STDOUT
    sys.stdout.flush()
    real = os.dup(1)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.close(silent)
    _STDOUT = real
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(real, 1)
        os.close(real)
        _STDOUT = 1
