"""The command line of `generate.py`: its arguments make the same job that `p2p` writes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from capture import InputError, read_json
from generator.cameras.rig import read_rig
from generator.components.beard import FAMILIES as BEARDS
from generator.components.environment import HDRIS
from generator.components.hair import FAMILIES
from generator.distributions import Distributions, read_distributions
from generator.jobs.devices import DEVICES
from generator.jobs.files import Job, read_job
from generator.jobs.ground_truth import PASSES, parse_passes
from generator.jobs.heads import CaptureJob, HeadRequest
from generator.jobs.rendering import SIDE, Rendering
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
    made.add_argument("--resolution", type=int, help=f"pixels of a side, {SIDE} by default")
    made.add_argument("--samples", type=int, default=Rendering.samples, help="per pixel")
    made.add_argument("--device", choices=DEVICES, default=Rendering.device, help="what renders")
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
        default=Rendering.head_model,
        help="makehuman, an ICT-FaceKit folder or an .npz file: see docs/head_models.md",
    )
    made.add_argument("--hair", choices=list(FAMILIES), help="instead of drawing the family")
    made.add_argument("--beard", choices=list(BEARDS), help="instead of drawing the family")
    made.add_argument("--hdri", help=f"instead of drawing the panorama: {', '.join(HDRIS)}, or the id of an asset")
    made.add_argument("--neutral", action="store_true", help="no expression, no turned head")
    made.add_argument("--spec-only", action="store_true", help="write spec.json, don't render")
    made.add_argument("--job", type=Path, help="a job file of `p2p`, which says all, in the place of other options")
    return made


def parse_job(arguments: Sequence[str]) -> Job:
    """The job that the arguments describe, or name. Raises `InputError`; `--help` raises `SystemExit`."""
    options = parser().parse_args(list(arguments))
    if options.job is not None:
        if options != parser().parse_args(["--job", str(options.job)]):
            raise InputError("--job says all: leave the other options out")
        return read_job(options.job)
    if (options.out is None) == (options.out_root is None):
        raise InputError("give either --out FOLDER (one head) or --out-root FOLDER (one or more)")
    passes = parse_passes(options.passes)
    chosen = (options.resolution, options.samples, tuple(options.library), options.head_model, options.device, passes)
    return CaptureJob(tuple(_heads(options)), Rendering(*chosen), options.threads, options.spec_only)


def option_names() -> dict[str, str]:
    """Parameter -> how the command line calls it, for errors."""
    return {name: f"--{name.replace('_', '-')}" for name in vars(parser().parse_args([]))}


def _heads(options: argparse.Namespace) -> Iterator[HeadRequest]:
    """The heads to render and their folders."""
    if options.spec is not None:
        if options.out is None or options.seed or options.seeds:
            raise InputError("--spec renders one head: give --out, and no seeds")
        named = ("distributions", "rig", "hair", "beard", "hdri", "neutral")
        if drawn := [f"--{name}" for name in named if getattr(options, name)]:
            raise InputError(f"--spec says all of a head: {', '.join(drawn)} would change nothing; edit the spec")
        value, where = read_json(options.spec, "head spec"), str(options.spec)
        if isinstance(value, dict) and isinstance(value.get("spec"), dict):  # a capture.json will do
            value = value["spec"]
        yield HeadRequest(options.out.resolve(), spec=HeadSpec.from_json(value, where), where=where)
        return
    seeds = list(dict.fromkeys([*options.seed, *_range(options.seeds)]))
    if not seeds:
        raise InputError("no seed; give --seed N or --seeds FIRST:LAST")
    if options.out is not None and len(seeds) != 1:
        raise InputError("--out takes one head; give --out-root for several seeds")
    distributions = _distributions(options)
    for seed in seeds:
        folder = options.out or options.out_root / f"head_{seed:08d}"
        yield HeadRequest(folder.resolve(), seed, distributions)


def _distributions(options: argparse.Namespace) -> Distributions:
    """The user's overrides: the file's, and before them what has an option of its own."""
    given = Distributions() if options.distributions is None else read_distributions(options.distributions)
    overrides = common_overrides(options.hair, options.beard, options.hdri, options.neutral)
    if options.rig is not None:
        overrides["rig"] = read_rig(options.rig)
    return given.joined(overrides)


def common_overrides(hair: str | None, beard: str | None, hdri: str | None, neutral: bool) -> dict[str, Any]:
    """The overrides that have options of their own; those that are None are left out."""
    given = {"hair": ("family", hair), "beard": ("family", beard), "environment": ("hdri", hdri)}
    overrides: dict[str, Any] = {name: {what: value} for name, (what, value) in given.items() if value is not None}
    return overrides | ({"expression": {"strength": 0.0}, "pose": {"strength": 0.0}} if neutral else {})


def _range(text: str | None) -> range:
    if text is None:
        return range(0)
    first, separator, last = text.partition(":")
    if not separator or not first.isdecimal() or not last.isdecimal():
        raise InputError(f"--seeds {text}: use FIRST:LAST, as in 0:8")
    return range(int(first), int(last))
