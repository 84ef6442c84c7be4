"""The `p2p` command line: words to commands, errors to one line."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from itertools import takewhile
from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from capture import InputError
from capture.errors import with_option_names
from capture.runtime.lifetime import end_with_parent
from factory.cli.parser import Command, Parser, add_settings, appending, names_of, read_settings, refuse_clocks
from factory.cli.table import CommandTable
from factory.console import exit_code_of, setup_logging
from training.help_text import COMMANDS as LIGHTNING

COMMANDS = CommandTable(
    {
        "factory.cli.labelling": ("segment", "register", "annotate"),
        "factory.cli.landmarks": ("landmarks",),
        "factory.cli.scale": ("scale",),
        "factory.cli.scans": ("import", "reconstruct", "calibrate", "label"),
        "factory.cli.heads": ("generate", "distributions", "preview", "blend"),
        "factory.cli.dataset": ("demo", "pack", "join", "produce", "status", "verify", "report"),
        "factory.cli.training": ("export",),
        "factory.cli.evaluation": ("evaluate",),
    }
)
"""The subcommands of `p2p`."""

ASSETS = CommandTable(
    {"factory.cli.assets": ("list", "check", "import-makehuman", "import-hdri", "credits")},
)
"""The subcommands of `p2p assets`."""


def build_parser(only: str | None = None) -> Parser:
    """The parser of `p2p` with all its subcommands, or with one alone, which loads no other's settings."""
    parser = Parser(
        prog="p2p",
        description="Label the skin of 3D head scans, register heads to it, and make the data to learn it from.",
        version=f"pixels2points {version('pixels2points')}",
    )
    parser.add_argument("--verbose", action="store_true", help="log details")
    subcommands = parser.add_subcommands(dest="command")
    if only is not None:
        _add_command(parser, subcommands, COMMANDS, only)
        return parser
    for name in COMMANDS:
        _add_command(parser, subcommands, COMMANDS, name)
    library = Parser(description="Make, check and list asset libraries; print the credits of captures.")
    subcommands.add_subcommand("assets", library, help=library.description)
    for_assets = library.add_subcommands(dest="command")
    for name in ASSETS:
        _add_command(parser, for_assets, ASSETS, name, "assets ")
    for name, text in LIGHTNING.items():
        passed_on = Parser(description=f"{text} `p2p {name} --help` shows the options.")
        subcommands.add_subcommand(name, passed_on, help=text)
    return parser


def every_command() -> dict[str, Command]:
    """Words of a subcommand -> the command."""
    return {**COMMANDS, **{f"assets {name}": ASSETS[name] for name in ASSETS}}


def _add_command(parser: Parser, subcommands: Any, commands: CommandTable, name: str, before: str = "") -> None:
    command = commands[name]
    sub = Parser(description=command.description)
    sub.add_argument("--config", action="config", help="YAML file with these options")
    add_settings(sub, command.settings)
    sub.known[""] = parser.known[f"{before}{name}"] = command.settings
    subcommands.add_subcommand(name, sub, help=command.help)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `p2p`; returns the exit code (0 done, 1 a stage failed, 2 wrong input, 3 refused, 130 interrupted)."""
    end_with_parent()
    words = list(sys.argv[1:] if arguments is None else arguments)
    before = list(takewhile("--verbose".__eq__, words))
    if words[len(before) :] and words[len(before)] in LIGHTNING:  # LightningCLI parses these itself
        return _train(words[len(before) :], verbose=bool(before))
    named = words[len(before)] if words[len(before) :] else ""
    only = named if named in COMMANDS else None
    known = {named: COMMANDS[named]} if only else every_command()
    if code := exit_code_of(lambda: refuse_clocks(words, known)):
        return code
    parsed = build_parser(only).parse_args(appending(words, known))
    name, command, options = _chosen(parsed)
    rewrite = partial(with_option_names, names=names_of(command.settings))
    setup_logging(verbose=parsed.verbose, rewrite=rewrite)

    def run() -> None:
        with _extras(name, command.extra):
            settings = read_settings(command.settings, vars(options))
            out = getattr(options, "out", None)
            if out is not None and "://" not in str(out):  # a URL is checked by who writes there
                from capture.files import check_output

                check_output(Path(out))
            command.run(settings)

    return exit_code_of(run, rewrite)


def _chosen(parsed: Namespace) -> tuple[str, Command, Namespace]:
    """The subcommand that was given: its name, and its options."""
    name, options = parsed.command, parsed[parsed.command]
    if name != "assets":
        return name, COMMANDS[name], options
    return f"assets {options.command}", ASSETS[options.command], options[options.command]


def _train(words: Sequence[str], *, verbose: bool) -> int:
    codes: list[int] = []

    def run() -> None:
        from factory.cli import training
        from training.early_checks import ROOT, check_training

        check_training(words, ROOT)
        with _extras(words[0], training.EXTRA):
            codes.append(training.train(words, verbose=verbose))

    return exit_code_of(run) or codes[0]


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
