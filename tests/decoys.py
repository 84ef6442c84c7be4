"""A folder full of files with the names of modules, which tell when one of them is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.helpers import REPO

P2P = ("-P", "-m", "factory.cli")  # as the script `p2p` starts, which has its own folder first on the path

OURS = (
    "assets", "blender_scripts", "capture", "evaluation", "factory", "generator", "labeling", "reconstruction",
    "registration", "scans", "training",
)  # fmt: skip


def write_decoys(folder: Path, leave_out: tuple[str, ...] = ()) -> Path:
    """Write a module for every package of ours, of the standard library and of what is installed.

    Returns the folder that gets a file for each that is imported.
    """
    told = folder / "imported"
    told.mkdir(parents=True)
    names = {*OURS, *sys.stdlib_module_names, *packages_distributions(), "sitecustomize", "usercustomize"}
    for name in sorted(names - {*leave_out}):
        if name.isidentifier():
            (folder / f"{name}.py").write_text(f"open({str(told / name)!r}, 'w').close()\n")
    for name in {"capture", "training"} - {*leave_out}:  # folders, data sets say, go before files
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"open({str(told / name)!r}, 'w').close()\n")
    return told


def imported(told: Path) -> list[str]:
    """Names of the modules that were imported."""
    return sorted(path.name for path in told.iterdir())


def python(folder: Path, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run this Python in a folder, with our packages from this clone."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    command = [sys.executable, *map(str, words)]
    variables = inherited | {"PYTHONPATH": str(REPO)} | environment
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=500, check=False)
