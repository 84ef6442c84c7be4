"""What an installed package has to bring beside its modules."""

from __future__ import annotations

import tomllib
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
SETUPTOOLS = tomllib.loads((REPO / "pyproject.toml").read_text())["tool"]["setuptools"]


def test_files_beside_the_modules_are_installed() -> None:
    packages = [REPO / pattern.rstrip("*") for pattern in SETUPTOOLS["packages"]["find"]["include"]]
    found = {
        path
        for package in packages
        for path in package.rglob("*")
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
    }
    declared = {
        path
        for package, patterns in SETUPTOOLS["package-data"].items()
        for pattern in patterns
        for path in (REPO / package).glob(pattern)
    }
    assert found and found == declared


def test_every_package_is_found() -> None:
    for package in SETUPTOOLS["packages"]["find"]["include"]:
        assert (REPO / package.rstrip("*") / "__init__.py").is_file() or package == "blender_scripts*", package
