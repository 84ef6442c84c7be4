"""Configuration files, read as the command line reads the same words. Imports no torch."""

from __future__ import annotations

import os
import re
from argparse import Action
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import yaml
from jsonargparse import ArgumentParser, Namespace

_STRING = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class YamlParser(ArgumentParser):
    """A parser whose files may hold numbers where an option is a text, and empty sections.

    YAML makes an integer of `5`, 62 of `1:2`, a date of `2024-01-01`, false of `no`: where an option is a text or a
    path, what stands in the file is taken instead. An option or a section with nothing behind its name is left at its
    default. One path is a list of paths, too.
    """

    def _load_config_parser_mode(
        self,
        content: str,
        path: str | os.PathLike[str] = "",
        ext_vars: dict[str, Any] | None = None,
        prev_cfg: Namespace | None = None,
    ) -> Namespace:
        """The options in a file, as jsonargparse's own; there is no public way to come between."""
        found: Namespace = super()._load_config_parser_mode(_as_words(content, self), path, ext_vars, prev_cfg)
        return found


def _as_words(content: str, parser: ArgumentParser) -> str:
    """The file with texts as texts, and without what is empty; as it was where it is no YAML."""
    try:
        root = yaml.compose(content, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return content  # jsonargparse says what is wrong
    if root is None or (root.tag == _NULL and root.value == ""):
        return "{}"
    if not isinstance(root, yaml.MappingNode):
        return content
    _mend(root, dict(_actions(parser)), "")
    return str(yaml.serialize(root, Dumper=yaml.SafeDumper))


def _actions(parser: ArgumentParser, prefix: str = "") -> Iterator[tuple[str, Action]]:
    """Name in files -> option, those of subcommands behind their name."""
    for action in parser._actions:
        yield f"{prefix}{action.dest}", action
        for word, sub in getattr(action, "_name_parser_map", {}).items():
            yield from _actions(sub, f"{prefix}{word}.")


def _mend(node: yaml.MappingNode, actions: dict[str, Action], path: str) -> None:
    kept = []
    for key, value in node.value:
        name = f"{path}{key.value}".replace("-", "_").removesuffix("+")
        action = actions.get(name)
        if value.tag == _NULL and value.value == "":
            continue
        if action is not None and _is_text(action):
            _take_words(value)
            if isinstance(value, yaml.ScalarNode) and value.tag != _NULL and _is_list(action):
                value = yaml.SequenceNode("tag:yaml.org,2002:seq", [value])
        elif isinstance(value, yaml.MappingNode):
            _mend(value, actions, f"{name}.")
        elif isinstance(value, yaml.ScalarNode) and value.tag in _NUMBERS and ":" in value.value:
            raise TypeError(f'Parser key "{name}": needs a number, got {value.value}')  # which is 62 to YAML 1.1
        kept.append((key, value))
    node.value = kept


def _take_words(node: yaml.Node) -> None:
    """Make texts of a value, or of the values of a list."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _take_words(item)
    elif isinstance(node, yaml.ScalarNode) and node.tag not in (_STRING, _NULL):
        node.tag, node.style = _STRING, '"'


def _is_text(action: Action) -> bool:
    """Whether an option's value is a text, a path, or a list of them."""
    kinds = set(_parts(getattr(action, "_typehint", None) or action.type))
    return bool(kinds) and kinds <= {str, Path, os.PathLike}


def _is_list(action: Action) -> bool:
    """Whether an option takes a list, and nothing else."""
    kind = getattr(action, "_typehint", None)
    members = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    return action.nargs in ("+", "*") or {get_origin(part) for part in members if part is not NoneType} == {list}


def is_clock(text: str) -> bool:
    """Whether YAML 1.1 reads a text as a number to the base of 60, as 1:2 is 62."""
    return re.fullmatch(r"[-+]?\d[\d_]*(:[0-5]?\d)+(\.[\d_]*)?", text) is not None


def _parts(kind: Any) -> Iterator[Any]:
    """The types that a type is made of; None is none of them."""
    origin = get_origin(kind)
    if origin is Literal:
        yield from {type(value) for value in get_args(kind)} - {NoneType}
    elif origin in (Union, UnionType, list, tuple):
        for part in get_args(kind):
            yield from _parts(part)
    elif origin is os.PathLike:
        yield os.PathLike
    elif kind not in (None, NoneType, Ellipsis):
        yield kind
