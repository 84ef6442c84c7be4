"""Configurations that come with the program, found by name from any folder. Imports no torch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from capture import InputError

CONFIGS = Path(__file__).parent / "configs"

_OPTION = re.compile(r"(?P<option>--config|-c)(?:=(?P<value>.*))?", re.DOTALL)
_NAME = re.compile(r"[\w./~-]+")


def names() -> list[str]:
    """The bundled configurations: `recommended`, `rows/mlp`, ..."""
    found = (path.relative_to(CONFIGS).with_suffix("").as_posix() for path in CONFIGS.rglob("*.yaml"))
    return sorted(found, key=lambda name: (name.count("/"), name))


def find_config(name: str) -> str:
    """The path of a configuration.

    A path that exists is taken as it is. Anything else is the name of a bundled configuration, with `.yaml` or
    without: `recommended` is the bundled one also where a `recommended.yaml` lies in the current folder, which is
    written `recommended.yaml`.

    Raises `InputError`, which lists the names, where there is neither.
    """
    if Path(name).expanduser().is_file():
        return name
    bare = name.removesuffix(".yaml")
    if bare in names():
        return str(CONFIGS / f"{bare}.yaml")
    raise InputError(f"no configuration {name}: no such file, and none of those that come along: {', '.join(names())}")


def with_paths(words: Sequence[str]) -> list[str]:
    """The words of a command line, names of bundled configurations behind `--config` replaced by their paths.

    YAML in place of a name is left as it is. Raises `InputError` for a name that is none.
    """
    found = list(words)
    for at, word in enumerate(words):
        match = _OPTION.fullmatch(word)
        if match is None:
            continue
        if match["value"] is not None:
            found[at] = f"{match['option']}={_resolved(match['value'])}"
        elif at + 1 < len(words):
            found[at + 1] = _resolved(words[at + 1])
    return found


def _resolved(value: str) -> str:
    return find_config(value) if _NAME.fullmatch(value) else value
