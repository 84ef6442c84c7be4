"""The options of all commands: none that was ever there goes, and all are told what they do."""

from __future__ import annotations

import importlib
import json
import re
from argparse import SUPPRESS, Action
from collections.abc import Iterator
from dataclasses import MISSING, asdict, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from factory.cli.main import ASSETS, COMMANDS, build_parser
from factory.cli.parser import names_of, options_of, read_settings
from factory.cli.table import CommandTable

# Command -> argument -> default and what else the parser was told, before options were the fields of settings.
KNOWN: dict[str, dict[str, dict[str, Any]]] = json.loads(Path(__file__).with_name("command_lines.json").read_text())


def parsers(parser: Any, name: str = "p2p") -> Iterator[tuple[str, Any]]:
    yield name, parser
    for action in parser._actions:
        for word, sub in getattr(action, "_name_parser_map", {}).items():
            yield from parsers(sub, f"{name} {word}")


PARSERS = dict(parsers(build_parser()))


def told(action: Action) -> dict[str, Any]:
    """What a parser was told of an argument, as plain values."""
    default = action.default
    default = asdict(default) if is_dataclass(default) and not isinstance(default, type) else default
    default = str(default) if isinstance(default, Path) else None if default == SUPPRESS else default
    found: dict[str, Any] = {"default": default}
    if action.nargs is not None:
        found["nargs"] = action.nargs
    if action.choices:
        found["choices"] = list(action.choices)
    if action.required and action.option_strings:
        found["required"] = True
    return found


@pytest.mark.parametrize("command", KNOWN)
def test_every_argument_is_still_there_with_its_default(command: str) -> None:
    found = {
        name: told(action)
        for action in PARSERS[command]._actions
        if not hasattr(action, "_name_parser_map")
        for name in action.option_strings or [action.dest]
    }
    for name, before in KNOWN[command].items():
        now = found[name]
        if before["default"] is None:
            now = now | {"default": now["default"] or None}  # no text and no folders are none
        assert now == before, name


@pytest.mark.parametrize("command", PARSERS)
def test_every_argument_says_what_it_does(command: str) -> None:
    for action in PARSERS[command]._actions:
        if hasattr(action, "_name_parser_map"):
            continue
        assert action.help and action.help.strip(), (command, action.dest)
    text = PARSERS[command].format_help()
    assert not re.search(r"lambda|\w\+|<class|<function|\d\.\d{5,}|: null|\bNone\b", text), text


def test_commands_have_lines_of_their_own() -> None:
    lines = [command.help for command in (*COMMANDS.values(), *ASSETS.values())]
    assert len(set(lines)) == len(lines)


def test_documented_words_are_explained_or_gone() -> None:
    for name, parser in PARSERS.items():
        words = set(re.findall(r"[a-z]+", parser.format_help().lower()))
        assert not words & {"wish", "wishes", "slot", "slots", "traits", "workplace", "lambda"}, name
        assert "what is whole" not in parser.format_help()


@pytest.mark.parametrize("command", [*COMMANDS.items(), *ASSETS.items()], ids=[*COMMANDS, *ASSETS])
def test_the_parser_gives_what_the_settings_have_by_default(command: tuple[str, Any]) -> None:
    """Nobody types a default a second time."""
    name, settings = command[0], command[1].settings
    needed = [option for option in options_of(settings) if option.default is MISSING]
    words = ["x" if option.positional else f"{option.flag}=x" for option in needed]
    values = PARSERS[f"p2p {name if name in COMMANDS else f'assets {name}'}"].parse_args(words)
    given = {option.path[0]: option.value(values[option.name]) for option in needed}
    assert read_settings(settings, vars(values)) == settings(**given)


@pytest.mark.parametrize("command", [*COMMANDS, *(f"assets {name}" for name in ASSETS)])
def test_details_are_logged_with_every_command(command: str) -> None:
    settings = (COMMANDS.get(command) or ASSETS[command.removeprefix("assets ")]).settings
    needed = [option for option in options_of(settings) if option.default is MISSING]
    words = ["x" if option.positional else f"{option.flag}=x" for option in needed]
    assert PARSERS["p2p"].parse_args(["--verbose", *command.split(), *words]).verbose


def test_names_of_parameters_lead_to_options() -> None:
    names = names_of(COMMANDS["produce"].settings)
    assert names["test_heads"] == "--test-heads" and names["generate.cpus"] == "--generate.cpus"
    assert names["min_face"] == "--gates.min_face" and "cpus" in names and names["cpus"] == "--cpus"
    assert names_of(COMMANDS["annotate"].settings)["painted"] == "--import"
    assert names_of(COMMANDS["segment"].settings)["capture"] == "CAPTURE"


@pytest.mark.parametrize("table", [COMMANDS, ASSETS], ids=["p2p", "p2p assets"])
def test_tables_name_what_their_modules_hold(table: CommandTable) -> None:
    for module, names in table.modules.items():
        assert tuple(importlib.import_module(module).COMMANDS) == names
