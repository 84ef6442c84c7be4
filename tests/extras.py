"""Environments that hold the base requirements and some extras alone, simulated: all other libraries are refused."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPO = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]

# What the interpreter does before the commands: what is installed but not allowed can't be found.
_PROGRAM = """
import contextlib, io, json, pathlib, sys, traceback
from importlib.machinery import PathFinder
modules, distributions = frozenset({modules!r}), frozenset({distributions!r})
class Filtered(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in modules else super().find_spec(name, path, target)
    @classmethod
    def find_distributions(cls, *arguments, **named):
        for each in super().find_distributions(*arguments, **named):
            if each.metadata["Name"] not in distributions:
                yield each
sys.meta_path[sys.meta_path.index(PathFinder)] = Filtered
from factory.cli.main import main
def run(words):
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            code = main(words)
        except SystemExit as ended:
            code = ended.code or 0
        except BaseException:
            traceback.print_exc()
            code = 1
    return code, said.getvalue()
runs = json.loads(sys.argv[1])
pathlib.Path(sys.argv[2]).write_text(json.dumps({{name: run(words) for name, words in runs.items()}}))
"""


@dataclass(frozen=True)
class Outcome:
    """Exit code and error output of a command."""

    code: int
    said: str


@cache
def installed() -> dict[str, list[str]]:
    """Name to import -> distributions that bring it. In a fresh interpreter: imports here may have changed the path."""
    program = "import importlib.metadata, json; print(json.dumps(importlib.metadata.packages_distributions()))"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


@cache
def distributions_of(extra: str | None) -> frozenset[str]:
    """Canonical names of what the base requirements bring, and the extra where one is given."""
    chosen: set[tuple[str, str]] = set()
    for text in (*PROJECT["dependencies"], *(EXTRAS[extra] if extra else ())):
        _add(Requirement(text), chosen)
    return frozenset(name for name, _ in chosen) | {"pixels2points"}


def modules_of(extra: str | None) -> frozenset[str]:
    """Names to import of `distributions_of`."""
    names = distributions_of(extra)
    return frozenset(
        module
        for module, distributions in installed().items()
        if names & {canonicalize_name(name) for name in distributions}
    )


def _add(requirement: Requirement, chosen: set[tuple[str, str]]) -> None:
    """Add a distribution and all that it requires, with the extras that are asked for."""
    name = canonicalize_name(requirement.name)
    for extra in ("", *sorted(requirement.extras)):
        if (name, extra) in chosen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        if name == "pixels2points":
            needed = EXTRAS[extra] if extra else []
        else:
            chosen.add((name, extra))
            try:
                needed = requires(name) or []
            except PackageNotFoundError:  # for another system
                continue
        for each in map(Requirement, needed):
            if each.marker is None or each.marker.evaluate({"extra": extra}):
                _add(Requirement(f"{each.name}[{','.join(each.extras)}]" if each.extras else each.name), chosen)


def p2p_with(extra: str | None, runs: Mapping[str, Sequence[object]], folder: Path) -> dict[str, Outcome]:
    """Run `p2p` where nothing but the base requirements and the extra can be imported.

    Args:
        extra: beside the base requirements; None for these alone.
        runs: name -> words of a command; all are run in one process, as starts and imports cost most of the time.
        folder: where the process writes what came of them.
    """
    names = {name for names in installed().values() for name in names}
    program = _PROGRAM.format(
        modules=sorted(set(installed()) - modules_of(extra)),
        distributions=sorted(name for name in names if canonicalize_name(name) not in distributions_of(extra)),
    )
    words = json.dumps({name: [str(word) for word in words] for name, words in runs.items()})
    command = [sys.executable, "-c", program, words, str(folder / "outcomes.json")]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {name: Outcome(*found) for name, found in json.loads((folder / "outcomes.json").read_text()).items()}
