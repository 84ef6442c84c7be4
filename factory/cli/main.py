"""The `p2p` command line: words to commands, errors to one line."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
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
from factory.cli import assets, dataset, evaluation, heads, labelling, scans, training
from factory.cli.checks import check_output, check_training
from factory.cli.parser import Command, Parser, add_settings, appending, names_of, read_settings, refuse_clocks
from factory.console import exit_code_of, setup_logging
from training.help_text import COMMANDS as LIGHTNING

_GROUPS = (labelling, scans, heads, dataset, training, evaluation)
COMMANDS: dict[str, Command] = {name: command for group in _GROUPS for name, command in group.COMMANDS.items()}
"""The subcommands of `p2p`."""

ASSETS: dict[str, Command] = assets.COMMANDS
"""The subcommands of `p2p assets`."""


def build_parser(only: str | None = None) -> Parser:
    """The parser of `p2p` with all its subcommands; where `only` names one, the others have no options."""
    parser = Parser(
        prog="p2p",
        description="Label the skin of 3D head scans, register heads to it, and make the data to learn it from.",
        version=f"pixels2points {version('pixels2points')}",
    )
    parser.add_argument("--verbose", action="store_true", help="log details")
    subcommands = parser.add_subcommands(dest="command")
    _add_commands(parser, subcommands, COMMANDS, only)
    library = Parser(description="Make, check and list asset libraries; print the credits of captures.")
    subcommands.add_subcommand("assets", library, help=library.description)
    _add_commands(parser, library.add_subcommands(dest="command"), ASSETS, only, "assets ")
    for name, text in LIGHTNING.items():
        passed_on = Parser(description=f"{text} `p2p {name} --help` shows the options.")
        subcommands.add_subcommand(name, passed_on, help=text)
    return parser


def _add_commands(
    parser: Parser, subcommands: Any, commands: Mapping[str, Command], only: str | None, before: str = ""
) -> None:
    for name, command in commands.items():
        sub = Parser(description=command.description)
        if only not in (None, f"{before}{name}"):  # every stage of every head starts a program: a quarter of a second
            subcommands.add_subcommand(name, sub, help=command.help)
            continue
        sub.add_argument("--config", action="config", help="YAML file with these options")
        add_settings(sub, command.settings)
        sub.known[""] = parser.known[f"{before}{name}"] = command.settings
        subcommands.add_subcommand(name, sub, help=command.help)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `p2p`; returns the exit code (0 done, 1 a stage failed, 2 wrong input, 130 interrupted)."""
    end_with_parent()
    words = list(sys.argv[1:] if arguments is None else arguments)
    before = list(takewhile("--verbose".__eq__, words))
    if words[len(before) :] and words[len(before)] in LIGHTNING:  # LightningCLI parses these itself
        return _train(words[len(before) :], verbose=bool(before))
    named = words[len(before)] if words[len(before) :] else ""
    every = {**COMMANDS, **{f"assets {name}": ASSETS[name] for name in ASSETS}}
    known = {named: COMMANDS[named]} if named in COMMANDS else every
    if code := exit_code_of(lambda: refuse_clocks(words, known)):
        return code
    parsed = build_parser(named if named in COMMANDS else None).parse_args(appending(words, known))
    name, command, options = _chosen(parsed)
    rewrite = partial(with_option_names, names=names_of(command.settings))
    setup_logging(verbose=parsed.verbose, rewrite=rewrite)

    def run() -> None:
        with _extras(name, command.extra):
            settings = read_settings(command.settings, vars(options))
            out = getattr(options, "out", None)
            if out is not None and "://" not in str(out):  # a URL is checked by who writes there
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
        check_training(words)
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
