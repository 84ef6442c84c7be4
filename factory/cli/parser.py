"""Settings dataclasses as command lines: a field's type, default and documentation make its option.

A command is a function that takes one frozen dataclass. A field is documented once, in the `Attributes` of its class:

    Path, str, int, float, ... | None    --test-heads N, with the field's default
    bool                                 --force
    Literal["cpu", "cuda"]               --backend {cpu,cuda}
    tuple[Path, ...]                     --library A --library B
    tuple[str, ...]                      --skin-parts skin,eyes
    another dataclass                    --gates.min_face 0.5 --gates.min_skin 0.1
    Mapping[str, another dataclass]      --label.cpus 2 --pack.cpus 1, for the `keys` in the field's metadata
    another dataclass, as `group()`      its options stand among the command's own: commands share them so
    any, as `argument()`                 a positional argument

Metadata of a field: `parse`, a function that makes its value of text; `option`, its name on the command line where it
has another one than in Python.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NoReturn, Union, get_args, get_origin, get_type_hints

import docstring_parser
from jsonargparse import ArgumentParser

from capture import InputError
from capture.errors import with_option_names
from training.help_text import HelpText, program_of
from training.yaml_options import YamlParser, is_clock


def argument(default: Any = MISSING) -> Any:
    """A field that is a positional argument; one with a default may be left out."""
    return field(default=default, metadata={"positional": True})


def group(default: Any, title: str = "", without: tuple[str, ...] = ()) -> Any:
    """A field whose own fields are options of the command.

    Args:
        default: an instance, which the options' defaults are taken from.
        title: that they stand under in the help.
        without: names of its fields that the command has no option for.
    """
    return field(default=default, metadata={"group": True, "title": title, "without": without})


@dataclass(frozen=True)
class Command:
    """A subcommand.

    Attributes:
        run: called with the settings; the first line of its docstring is the help.
        extra: the optional dependencies that it needs.
    """

    run: Callable[[Any], None]
    extra: str = "all"

    @property
    def settings(self) -> type:
        """The dataclass that it takes."""
        return next(iter(get_type_hints(self.run).values()))

    @property
    def description(self) -> str:
        """Its description, in paragraphs."""
        return inspect.cleandoc(self.run.__doc__ or "")

    @property
    def help(self) -> str:
        """Its description, in one line."""
        return self.description.splitlines()[0]


@dataclass(frozen=True)
class _Option:
    """An option, of the field that `path` leads to from the settings; `name` is its key in configuration files."""

    name: str
    path: tuple[str, ...]
    type: Any
    default: Any
    help: str
    title: str
    metadata: Mapping[str, Any]

    @property
    def positional(self) -> bool:
        return bool(self.metadata.get("positional"))

    @property
    def flag(self) -> str:
        """Its form on the command line."""
        return self.name.upper() if self.positional else f"--{self.name.replace('_', '-')}"

    def add_to(self, parser: Any) -> None:
        """Declare it to a parser or to a group of one."""
        words: dict[str, Any] = {"help": self.help}
        kind, default = self.type, self.default
        if kind is bool:
            words |= {"action": "store_true"}
        elif "parse" in self.metadata:
            words |= {"type": str | None, "default": None}
        elif get_origin(kind) is Literal:
            words |= {"type": str, "choices": get_args(kind), "default": default}
        elif kind == tuple[str, ...]:
            words |= {"type": str | list[str], "default": ",".join(default)}
        elif kind == tuple[Path, ...] and not self.positional:
            words |= {"type": list[Path] | None, "default": list(default) or None}
        elif kind == tuple[Path, ...]:
            words |= {"type": Path, "nargs": "+"}
        else:
            words |= {"type": kind, "default": default}
        if not is_dataclass(kind) and kind is not bool and "choices" not in words:
            words |= {"metavar": self.flag if self.positional else _placeholder(kind, self.name)}
        required = default is MISSING
        if required:
            words.pop("default", None)
        if self.positional and not required:
            words |= {"nargs": "?"}
        elif not self.positional and required:
            words |= {"required": True}
        parser.add_argument(self.name if self.positional else self.flag, **words)

    def value(self, given: Any) -> Any:
        """The field's value, from the parsed one."""
        if "parse" in self.metadata:
            return self.default if given is None else self.metadata["parse"](given)
        if is_dataclass(self.type):
            return read_settings(self.type, vars(given))  # type: ignore[arg-type]
        if self.type == tuple[str, ...]:
            words = given.split(",") if isinstance(given, str) else given
            return tuple(word.strip() for word in words if word.strip())
        return tuple(given or ()) if self.type == tuple[Path, ...] else given


@cache
def options_of(settings: type) -> tuple[_Option, ...]:
    """All options of a settings dataclass, those of its groups included."""
    return tuple(_options(settings, None, (), "", ()))


def _options(
    settings: type, default: Any, path: tuple[str, ...], title: str, without: tuple[str, ...]
) -> Iterator[_Option]:
    types, texts = get_type_hints(settings), documentation(settings)
    for each in fields(settings):
        if each.name in without:
            continue
        value = _default(each) if default is None else getattr(default, each.name)
        here = (*path, each.name)
        if each.metadata.get("group"):
            titled, left_out = each.metadata["title"] or title, (*without, *each.metadata["without"])
            yield from _options(types[each.name], value, here, titled, left_out)
        elif "keys" in each.metadata:
            kind, text = get_args(types[each.name])[1], texts.get(each.name, "")
            for key in each.metadata["keys"]:
                yield _Option(key, (*here, key), kind, kind(), f"{text} {key}", title, each.metadata)
        else:
            name = each.metadata.get("option", each.name)
            yield _Option(name, here, types[each.name], value, texts.get(each.name, ""), title, each.metadata)


def documentation(settings: type) -> dict[str, str]:
    """Field -> what the `Attributes` of a dataclass and of its bases say of it, as one line."""
    found: dict[str, str] = {}
    for base in reversed(settings.__mro__):
        for entry in docstring_parser.parse(base.__doc__ or "").params if is_dataclass(base) else ():
            found[entry.arg_name] = " ".join((entry.description or "").split()).removesuffix(".")
    return found


def add_settings(parser: ArgumentParser, settings: type) -> None:
    """Add the options of a settings dataclass to a parser."""
    names = names_of(settings)
    places: dict[str, Any] = {"": parser}
    for option in options_of(settings):
        if option.title not in places:
            places[option.title] = parser.add_argument_group(option.title)
        replace(option, help=with_option_names(option.help, names)).add_to(places[option.title])


def read_settings(settings: type, values: Mapping[str, Any]) -> Any:
    """The dataclass with what a parser found. Raises what its own checks raise."""
    return _built(settings, None, {option.path: option.value(values[option.name]) for option in options_of(settings)})


def _built(settings: Any, default: Any, found: Mapping[tuple[str, ...], Any], path: tuple[str, ...] = ()) -> Any:
    given = {}
    for each in fields(settings):
        here = (*path, each.name)
        if each.metadata.get("group"):
            inner = _default(each) if default is None else getattr(default, each.name)
            given[each.name] = _built(type(inner), inner, found, here)
        elif "keys" in each.metadata:
            given[each.name] = {key: found[*here, key] for key in each.metadata["keys"]}
        elif here in found:
            given[each.name] = found[here]
    return settings(**given) if default is None else replace(default, **given)


def names_of(settings: type) -> dict[str, str]:
    """Name of a parameter -> how the command line calls it. The last part of a dotted name will do where one has it."""
    full: dict[str, str] = {}
    short: dict[str, set[str]] = {}
    for option in options_of(settings):
        full |= {option.name: option.flag, option.path[-1]: option.flag}
        if is_dataclass(option.type):
            for each in fields(option.type):
                full[f"{option.name}.{each.name}"] = f"{option.flag}.{each.name}"
                short.setdefault(each.name, set()).add(f"{option.flag}.{each.name}")
    return {name: flags.pop() for name, flags in short.items() if len(flags) == 1} | full


def appending(words: list[str], commands: Mapping[str, Command]) -> list[str]:
    """The words with options that may be repeated written as jsonargparse appends to a list: `--library+`."""
    options = (option for command in commands.values() for option in options_of(command.settings))
    flags = {option.flag for option in options if option.type == tuple[Path, ...] and not option.positional}
    return [re.sub(rf"^({'|'.join(sorted(flags))})(?==|$)", r"\1+", word) for word in words]


def refuse_clocks(words: list[str], commands: Mapping[str, Command]) -> None:
    """Raise `InputError` for a number like 1:2, of which YAML 1.1, that arguments are read by, makes 62."""
    options = [option for command in commands.values() for option in options_of(command.settings)]
    texts = {option.flag for option in options if _is_text(option)}
    for before, word in pairwise(["", *words]):
        flag, _, value = word.partition("=")
        flag, value = (flag, value) if flag.startswith("--") else (before, word)
        if is_clock(value) and flag.startswith("--") and flag not in texts:
            raise InputError(f"{flag} needs a number, got {value}")


def _is_text(option: _Option) -> bool:
    return "parse" in option.metadata or not {int, float} & {option.type, *get_args(option.type)}


def _default(each: Field[Any]) -> Any:
    return each.default if each.default_factory is MISSING else each.default_factory()


def _placeholder(kind: Any, name: str) -> str:
    """The placeholder of an option's value in the help."""
    if get_origin(kind) in (Union, UnionType):
        kind = next(each for each in get_args(kind) if each is not type(None))
    if kind == tuple[Path, ...]:
        kind = Path
    return {int: "N", float: "NUMBER", Path: "PATH"}.get(kind, name.rpartition("_")[2].upper())


class Parser(YamlParser):
    """Ends with one line and exit code 2 where the arguments are wrong."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, formatter_class=HelpText, **options)
        self.known: dict[str, type] = {}  # words of a subcommand, none for the parser itself -> its settings

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Say what is wrong as the command line calls it."""
        line, at = " ".join(str(message).split()), ""
        for words, settings in self.known.items():
            for option in options_of(settings):
                key = re.escape(".".join([*words.split(), option.name]))
                name = rf'(?:Parser key )?(?<![\w.`-])"?{key}(\.\w+)?"?(?![\w=`/])'
                if (words or "Parser key" in line) and re.search(name, line):
                    line, at = re.sub(name, rf"{option.flag}\1", line), words
        for pattern, told in _TOLD:
            line = re.sub(pattern, told, line)
        program = " ".join([program_of(self.prog), *at.split()])
        sys.stderr.write(f"error: {line} (see `{program} --help`)\n")
        raise SystemExit(2)


_TOLD = (  # jsonargparse's words for values of a wrong type -> ours
    (
        r"Does not validate against any of the Union subtypes Subtypes: \[<class '(\w+)'>.*Given value: ",
        r"needs \1, got ",
    ),
    (r"Expected an? <class '(\w+)'>\. Got value: ", r"needs \1, got "),
    (r"\bneeds int\b", "needs a whole number"),
    (r"\bneeds float\b", "needs a number"),
)
