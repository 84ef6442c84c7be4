"""The `p2p` command line: arguments to commands, errors to one line."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

from jsonargparse import ArgumentParser, Namespace

from capture import InputError
from capture.lifetime import end_with_parent
from factory.cli import assets_commands, commands
from factory.console import exit_code_of, setup_logging
from factory.production.quality_gates import QualityGates
from factory.production.resources import HEAD_TASKS, StageResources
from generator.jobs.devices import DEVICES


class Parser(ArgumentParser):
    """Ends with one line and exit code 2 where the arguments are wrong."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        line, command = " ".join(str(message).split()), ""
        if found := re.search(r"required: (?:assets\.)?([\w-]+)\.(\w+)", line):
            name = found[2].replace("_", "-")
            known = {**COMMANDS, **ASSETS}.get(found[1])
            placed = known is not None and any(option.name == found[2] for option in known.options)
            line = line.replace(found[0], f"required: {name.upper() if placed else f'--{name}'}")
            command = f" {'assets ' if found[1] in ASSETS else ''}{found[1]}"
        sys.stderr.write(f"error: {line} (see `{self.prog}{command} --help`)\n")
        raise SystemExit(2)


@dataclass(frozen=True)
class Option:
    """One argument of a command; `name` starts with `--` or is positional."""

    name: str
    type: Any
    help: str
    default: Any = None
    required: bool = False
    choices: tuple[str, ...] | None = None
    repeat: bool = False  # a positional one takes several values
    optional: bool = False  # a positional one may be left out

    def add_to(self, parser: Parser) -> None:
        arguments: dict[str, Any] = {"help": self.help}
        if self.type is bool:
            arguments |= {"action": "store_true"}
        else:
            arguments |= {"type": self.type}
        if self.name.startswith("--"):
            if self.type is not bool:
                arguments |= {"default": self.default, "required": self.required}
            if self.choices:
                arguments |= {"choices": self.choices}
        elif self.repeat or self.optional:
            arguments |= {"nargs": "+" if self.repeat else "?"}
        parser.add_argument(self.name, **arguments)


@dataclass(frozen=True)
class Command:
    """A subcommand: the function that it calls with its options, dashes turned into underscores."""

    run: Callable[..., None]
    options: Sequence[Option] = field(default_factory=tuple)
    extra: str = "all"  # the optional dependencies that it needs

    @property
    def help(self) -> str:
        return (self.run.__doc__ or "").strip().splitlines()[0]


_CAPTURE = Option("capture", Path, "folder of the capture")
_DATASET = Option("dataset", Path, "folder of the data set")
_PLACE = Option("dataset", str, "folder of the data set, or its URL in an object store")
_LIBRARY = Option("--library", list[Path] | None, "folder of an asset library; may be repeated, later ones go before")
_HEAD_MODEL = Option("--head-model", str, "makehuman, an ICT-FaceKit folder or an .npz file", "makehuman")
_DEVICE = Option("--device", str, "what Cycles renders on", "cpu", choices=DEVICES)
_RENDER = (
    Option("--resolution", int | None, "width and height of the images, pixels; 512 by default"),
    Option("--samples", int, "Cycles samples per pixel", 16),
    Option("--blender", Path | None, "a Blender binary, 3.4 or later; without it the bpy wheel renders"),
    Option("--distributions", Path | None, "YAML or JSON file of what to draw otherwise, see docs/generator.md"),
    _LIBRARY,
    _HEAD_MODEL,
    _DEVICE,
    Option("--passes", str | None, "ground truth beside the masks, some of depth,normals,albedo,uv"),
    Option("--rig", Path | None, "YAML or JSON file of cameras of your own, see docs/generator.md"),
)
_BACKEND = Option("--backend", str, "depth maps on the CPU or on a CUDA GPU", "auto", choices=("auto", "cpu", "cuda"))
_VERTICES = Option("--vertices", int | None, "vertices of the scan at most; by default what the images support")
_THRESHOLD = Option("--threshold-mm", float, "a vertex nearer than this to the true surface is skin", 1.5)
_SKIN_PARTS = Option(
    "--skin-parts", str, "parts of the head that count as skin; skin,eyes,teeth,tongue is the paper's rule", "skin"
)
_SHARE = Option("--test-share", float, "share of the heads in the test split", 1 / 6)
_PER_SHARD = Option("--heads-per-shard", int, "samples in one tar file", 16)
_ONE_CPU = StageResources()
_FORCE = Option("--force", bool, "redo what is whole")

COMMANDS: dict[str, Command] = {
    "demo": Command(commands.demo, (Option("--out", Path, "output folder", Path("out/demo")),)),
    "generate": Command(
        commands.generate,
        (
            Option("--seeds", str, "one seed, a range first:end (end left out), or a list a,b,c", "0"),
            Option("--out", Path, "folder that gets one capture a head", Path("captures")),
            *_RENDER,
            Option("--hair", str | None, "one scalp hair family for all heads instead of a sampled one"),
            Option("--beard", str | None, "one facial hair family for all heads instead of a sampled one"),
            _FORCE,
        ),
        "render",
    ),
    "preview": Command(
        commands.preview,
        (
            Option("--heads", int | None, "number of heads, 12 by default; with --each per option, 1 by default"),
            Option("--out", Path, "the picture, .png or .jpg", Path("preview.png")),
            Option("--first-seed", int, "seed of the first head; the others count up", 0),
            Option("--each", str | None, "show every option of a choice, as in hair.family or environment.lighting"),
            Option("--views", str, "azimuth:elevation of each view, degrees", "0:0,40:5"),
            Option("--resolution", int, "width and height of a view, pixels", 192),
            Option("--samples", int, "Cycles samples per pixel", 8),
            Option("--blender", Path | None, "a Blender binary, 3.4 or later; without it the bpy wheel renders"),
            Option("--distributions", Path | None, "YAML or JSON file of what to draw otherwise"),
            _LIBRARY,
            _HEAD_MODEL,
            _DEVICE,
        ),
        "render",
    ),
    "reconstruct": Command(
        commands.reconstruct,
        (
            _CAPTURE,
            _BACKEND,
            _VERTICES,
            Option("--depth-min", float | None, "nearest depth, metres; by default found from points or cameras"),
            Option("--depth-max", float | None, "farthest depth, metres"),
            Option("--masks", Path | None, "folder of foreground masks named as the images; 0 is background"),
            Option("--max-image-size", int, "shrink images with a longer side, pixels; 0 leaves them", 2048),
            Option("--max-gap", float, "gaps in what the images support that the mesh spans, pixels", 3.0),
            Option("--max-hole", float, "enclosed holes that are closed, pixels across", 32.0),
            Option("--max-lift", float, "how far the mesh leaves the points' planes, share of the size", 0.0016),
            Option("--min-component", float, "smaller pieces are dropped, share of the largest", 0.02),
            Option("--threads", int | None, "threads to use; by default all cores. The scan doesn't depend on it"),
            Option("--workspace", Path | None, "new folder that keeps COLMAP's dense workspace: depth and normal maps"),
        ),
        "stereo",
    ),
    "calibrate": Command(
        commands.calibrate,
        (
            Option("folder", Path, "folder that holds images/"),
            Option("--camera-model", str, "COLMAP's name of the lens model", "OPENCV"),
            Option("--shared-camera", bool, "one camera took all images at one zoom"),
            Option("--scale", float | None, "metres per unit of the solution"),
            Option("--known-distance", str | None, "IMAGE,IMAGE,METRES between two cameras: gives the scale"),
        ),
        "stereo",
    ),
    "label": Command(
        commands.label,
        (
            _CAPTURE,
            _THRESHOLD,
            _SKIN_PARTS,
        ),
        "label",
    ),
    "pack": Command(
        commands.pack,
        (
            Option("captures", Path, "folder of captures"),
            Option("--out", Path, "folder of the data set", Path("dataset")),
            _SHARE,
            _PER_SHARD,
        ),
    ),
    "produce": Command(
        commands.produce,
        (
            Option("--heads", int, "number of heads", 8),
            Option("--out", str, "folder of the data set, or its URL in an object store (s3://...)", "dataset"),
            Option("--test-heads", int | None, "of these, in the test split; by default --test-share"),
            _SHARE,
            _PER_SHARD,
            Option("--first-seed", int, "seed of the first head; the others count up", 0),
            *_RENDER,
            _BACKEND,
            _VERTICES,
            _THRESHOLD,
            _SKIN_PARTS,
            Option(
                "--gates",
                QualityGates,
                "quality gates: a head that misses one is replaced by another seed",
                QualityGates(),
            ),
            Option("--address", str | None, "address of a Ray cluster, or auto; without it this machine works alone"),
            Option("--cpus", int | None, "cores of this machine to use; by default all"),
            *(Option(f"--{name}", StageResources, f"resources of the stage {name}", _ONE_CPU) for name in HEAD_TASKS),
            Option("--keep-captures", bool, "keep images, scans and labels in <out>/captures, and use those there"),
            Option("--scratch", Path | None, "folder for working files; by default the system's"),
        ),
    ),
    "status": Command(commands.status, (_PLACE,), "produce"),
    "verify": Command(commands.verify, (_PLACE,), "produce"),
    "segment": Command(
        commands.segment,
        (
            _CAPTURE,
            Option("--checkpoint", Path | None, "that `fit` wrote; by default the labeller that comes with this"),
            Option("--scan", Path | None, "the scan, .ply or .obj; by default the capture's scan.ply"),
            Option("--unit", str | None, "of the scan: m, cm, mm, or metres per unit; guessed by default, and said"),
            Option("--camera-unit", str | None, "of the camera poses, likewise"),
            Option("--vertices", int, "the network works on at most so many, and answers for all", 250_000),
        ),
        "train",
    ),
    "export": Command(
        commands.export,
        (
            Option("checkpoint", Path, "checkpoint that `fit` wrote"),
            Option("--out", Path, "file to write", required=True),
        ),
        "train",
    ),
    "register": Command(
        commands.register,
        (
            Option("scan", Path, "folder of the capture, or a mesh (.ply, .obj)"),
            Option(
                "--labels",
                str | None,
                "labels.npz or prediction.npz of the scan, or none for the whole scan; by "
                "default what was painted, else the capture's prediction, else its labels",
            ),
            Option("--template", str, "head model: makehuman, an ICT-FaceKit folder or an .npz file", "makehuman"),
            Option("--landmarks", Path | None, "JSON file, name -> [x, y, z], for a scan in a frame of its own"),
            Option("--unit", str | None, "of the scan: m, cm, mm, or metres per unit; guessed by default, and said"),
            Option("--out", Path | None, "by default registration/ in the capture"),
        ),
        "evaluate",
    ),
    "annotate": Command(
        commands.annotate,
        (
            Option("scan", Path | None, "folder of the capture, or a mesh (.ply, .obj), to paint on", optional=True),
            Option("--import", Path | None, "painted .blend to make labels of"),
            Option(
                "--labels",
                str | None,
                "labels.npz or prediction.npz to start from, or none; by default what was "
                "painted, else the capture's prediction, else its labels",
            ),
            Option("--unit", str | None, "of the scan: m, cm, mm, or metres per unit; guessed by default, and said"),
            Option("--camera-unit", str | None, "of the camera poses, likewise"),
            Option("--out", Path | None, "the .blend; with --import the capture, or the .npz, that gets the labels"),
            Option("--blender", Path | None, "a Blender binary, 3.4 or later; without it the bpy wheel works"),
        ),
        "train",
    ),
    "blend": Command(
        commands.blend,
        (
            Option("capture", Path, "folder of a capture of a bald or shaved head, or one in a cap, with its scan"),
            Option("--out", Path, "folder of the blended capture", required=True),
            Option("--hair", str | None, "family of the scalp's hair; drawn by default"),
            Option("--beard", str, "family of the beard", "none"),
            Option("--seed", int, "of what is drawn", 0),
            Option("--samples", int, "Cycles samples per pixel", 16),
            Option("--blender", Path | None, "a Blender binary, 3.4 or later; without it the bpy wheel renders"),
            _LIBRARY,
            Option("--template", str, "head model: makehuman, an ICT-FaceKit folder or an .npz file", "makehuman"),
            _DEVICE,
            Option(
                "--labels",
                str | None,
                "labels.npz or prediction.npz of the clean scan, or none for all of it; by "
                "default what was painted, else the prediction, else its labels, else all of it",
            ),
            Option("--landmarks", Path | None, "JSON file, name -> [x, y, z], for a scan in a frame of its own"),
            Option("--unit", str | None, "of the scan: m, cm, mm, or metres per unit; guessed by default, and said"),
            Option("--images-only", bool, "leave the scan to `p2p reconstruct` and `p2p label`"),
        ),
    ),
    "evaluate": Command(
        commands.evaluate,
        (
            _DATASET,
            Option("--checkpoints", Path | None, "folder of training runs; without it only rows that need none"),
            Option("--out", Path, "folder of the page, the numbers and the cache", Path("out/evaluation")),
            Option("--which", str, "checkpoint of each run", "last", choices=("last", "best")),
            Option("--split", str, "of the data set", "test"),
            Option("--heads", int | None, "the first so many of it; by default all"),
            Option("--annotated", list[Path] | None, "capture with labels that a person painted; may be repeated"),
            Option("--blended", list[Path] | None, "capture that `p2p blend` made and labelled; may be repeated"),
            Option("--bisenet", Path | None, "weights of a face-parsing network (BiSeNet, 19 classes)"),
            Option("--selfie", Path | None, "MediaPipe's multiclass selfie segmenter, .tflite"),
            Option("--unet", Path | None, "checkpoint of `python -m training.pixels fit`"),
            Option("--template", str, "head model to register, or none for labels alone", "makehuman"),
            _HEAD_MODEL,
            Option("--vertices", int, "networks work on at most so many, and answer for all", 250_000),
            Option("--pictures", int, "heads of which all methods are shown", 3),
            Option("--rows", str, "only these rows, names with commas; by default all", ""),
        ),
        "evaluate",
    ),
    "report": Command(
        commands.report,
        (
            _PLACE,
            Option("--out", Path | None, "the page; by default <dataset>/report.html"),
            Option("--heads", int, "with all views, scan and labels; evenly spaced over the data set", 24),
            Option("--faces", int, "of which a small front view is shown, likewise", 240),
        ),
        "report",
    ),
}

_INTO = Option("--out", Path, "folder of the library; what is in it stays", assets_commands.DEFAULT_LIBRARY)
_LINK = Option("--link", bool, "link to the files where they lie instead of copying them")

ASSETS: dict[str, Command] = {
    "list": Command(
        assets_commands.list_assets,
        (
            _LIBRARY,
            Option("--kind", str | None, "only this kind"),
        ),
    ),
    "check": Command(assets_commands.check, (Option("library", Path, "folders of libraries", repeat=True),)),
    "import-makehuman": Command(
        assets_commands.import_makehuman,
        (
            Option("folder", Path, "MakeHuman's data folder, with skins, hair, clothes, ... in it"),
            _INTO,
            Option("--name", str, "first word of the ids", "makehuman"),
            Option("--licence", str | None, "of the pack; by default what its files say"),
            _LINK,
        ),
    ),
    "import-hdri": Command(
        assets_commands.import_hdri,
        (
            Option("folder", Path, "folder of .exr and .hdr panoramas"),
            _INTO,
            Option("--licence", str, "under which they may be used, as in CC0-1.0", required=True),
            Option("--author", str | None, "for credits"),
            Option("--source", str | None, "where they come from, for credits"),
            _LINK,
        ),
    ),
    "credits": Command(
        assets_commands.credits, (Option("where", Path, "captures, folders of captures or data sets", repeat=True),)
    ),
}
"""The subcommands of `p2p assets`."""


def build_parser() -> Parser:
    """The parser of `p2p` with all its subcommands."""
    parser = Parser(
        prog="p2p",
        description="Synthetic head scans: generate, reconstruct, label, pack, train, segment.",
        version=f"pixels2points {version('pixels2points')}",
    )
    parser.add_argument("--verbose", action="store_true", help="log details")
    subcommands = parser.add_subcommands(dest="command")
    _add_commands(subcommands, COMMANDS)
    assets = Parser(description="The asset library: make, check and list it; print the credits of captures.")
    subcommands.add_subcommand("assets", assets, help="Make, check and list asset libraries; print credits")
    _add_commands(assets.add_subcommands(dest="command"), ASSETS)
    fit = Parser(description="Train a labeller; takes the options of `python -m training fit`.")
    subcommands.add_subcommand("fit", fit, help="Train a labeller: short for `python -m training fit`")
    return parser


def _add_commands(subcommands: Any, commands: Mapping[str, Command]) -> None:
    for name, command in commands.items():
        sub = Parser(description=(command.run.__doc__ or "").strip())
        sub.add_argument("--config", action="config", help="YAML file with these options")
        for option in command.options:
            option.add_to(sub)
        subcommands.add_subcommand(name, sub, help=command.help)


def _call(name: str, options: Namespace, known: Mapping[str, Command] = COMMANDS) -> None:
    if name == "assets":
        return _call(options.command, options[options.command], ASSETS)
    values = {key: value for key, value in vars(options).items() if key not in ("config", "__path__")}
    with _extras(name, known[name].extra):
        known[name].run(**values)


@contextmanager
def _extras(command: str, extra: str) -> Iterator[None]:
    """Turn a library that is not installed into the line that says how to get it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if Path(__file__).resolve().parents[2].joinpath((error.name or "").split(".")[0]).is_dir():
            raise  # one of ours: a defect
        cure = f"pip install 'pixels2points[{extra}]' (from a clone: '.[{extra}]')"
        raise InputError(f"p2p {command} needs {error.name}, which is not installed; {cure}") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `p2p`; returns the exit code (0 done, 1 a stage failed, 2 wrong input, 130 interrupted)."""
    end_with_parent()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["fit"]:  # LightningCLI parses these itself
        return _fit(words[1:])
    # how the parser appends to a list
    words = [re.sub("^--(library|annotated|blended)(?==|$)", r"--\1+", word) for word in words]
    parser = build_parser()
    parsed = parser.parse_args(words)
    setup_logging(verbose=parsed.verbose)

    def run() -> None:
        values = parser.instantiate(parsed)  # groups of options, as in --generate.cpus, become their records
        _call(values.command, values[values.command])

    return exit_code_of(run)


def _fit(words: Sequence[str]) -> int:
    codes: list[int] = []

    def run() -> None:
        with _extras("fit", "train"):
            codes.append(commands.fit(words))

    return exit_code_of(run) or codes[0]
