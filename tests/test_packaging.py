"""The lists of our packages, in the build, the checks and the images, against the folders that there are."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

from factory.console import PACKAGES
from tests.test_architecture import ALLOWED

REPO = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((REPO / "pyproject.toml").read_text())["tool"]
SETUPTOOLS = PROJECT["setuptools"]
NOT_INSTALLED = {"benchmarks", "tests"}

FOLDERS = sorted(path.name for path in REPO.iterdir() if any(path.glob("*.py")) and path.name not in NOT_INSTALLED)
"""Our packages as they lie in the repository: all lists of them are checked against this one."""


def _words(path: str, pattern: str) -> list[str]:
    """The first group of each line of a file that a pattern matches."""
    return re.findall(pattern, (REPO / path).read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    ("place", "names"),
    [
        ("setuptools, in pyproject.toml", [name.rstrip("*") for name in SETUPTOOLS["packages"]["find"]["include"]]),
        ("mypy, in pyproject.toml", PROJECT["mypy"]["files"]),
        ("loggers, in factory/console.py", PACKAGES),
        ("imports, in tests/test_architecture.py", ALLOWED),
        ("docker/Dockerfile", _words("docker/Dockerfile", r"^COPY (\w+) \1$")),
        (".dockerignore", set(_words(".dockerignore", r"^!(\w+)$")) - {"LICENSE"}),
    ],
)
def test_every_list_of_packages_is_complete(place: str, names: Iterable[str]) -> None:
    assert sorted(names) == FOLDERS, place


def test_packages_are_packages() -> None:
    for name in FOLDERS:
        assert (REPO / name / "__init__.py").is_file() or name == "blender_scripts", name


def test_files_beside_the_modules_are_installed() -> None:
    beside = {
        path
        for name in FOLDERS
        for path in (REPO / name).rglob("*")
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
    }
    declared = {
        path
        for package, patterns in SETUPTOOLS["package-data"].items()
        for pattern in patterns
        for path in (REPO / package).glob(pattern)
    }
    assert beside and beside == declared


def test_images_get_all_that_the_build_reads() -> None:
    """Whatever the Dockerfile copies from the repository is let through by .dockerignore."""
    copied = {word for line in _words("docker/Dockerfile", r"^COPY (?!--)(.+) \S+$") for word in line.split()}
    allowed = set(_words(".dockerignore", r"^!(\S+)$"))
    assert copied == allowed
    assert all((REPO / name).exists() for name in copied)
