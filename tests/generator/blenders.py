"""The Blenders that tests start: the bpy wheel of this Python, the binary on PATH, and a wheel of Blender 5."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers import REPO

SCRIPT = REPO / "blender_scripts" / "generate.py"
SEVERAL = Path(__file__).with_name("several.py")
BLENDER = shutil.which("blender")
BLENDER5 = os.environ.get("P2P_BLENDER5_PYTHON")

Start = Callable[..., "subprocess.CompletedProcess[str]"]

needs_bpy = pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="the bpy wheel is not installed")
needs_blender = pytest.mark.skipif(BLENDER is None, reason="no blender binary on PATH")
needs_blender5 = pytest.mark.skipif(
    BLENDER5 is None, reason="no Blender 5: P2P_BLENDER5_PYTHON names no Python that has bpy 5"
)


@dataclass(frozen=True)
class Outcome:
    """Exit code, error output and standard output of a run."""

    returncode: int
    stderr: str
    stdout: str


def several(start: Start, runs: Mapping[str, Sequence[str]], folder: Path) -> dict[str, Outcome]:
    """Name -> what comes of `generate.py` with these words, all in one process of the Blender that is started.

    The folder gets a file with the words, and one with what came of them.
    """
    given, made = folder / "runs.json", folder / "outcomes.json"
    given.write_text(json.dumps(runs))
    done = start(str(given), str(made), script=SEVERAL)
    assert made.exists(), done.stderr[-2000:]
    return {name: Outcome(*found) for name, found in json.loads(made.read_text()).items()}


def bpy_run(*options: str, script: Path = SCRIPT) -> subprocess.CompletedProcess[str]:
    """What `generate.py`, or another script, does in the wheel of this Python."""
    return _run(sys.executable, str(script), *options)


def blender_run(*options: str, script: Path = SCRIPT) -> subprocess.CompletedProcess[str]:
    """The same in the binary on PATH."""
    return _run(str(BLENDER), "--background", "--python", str(script), "--", *options)


def blender5_run(*options: str, script: Path = SCRIPT) -> subprocess.CompletedProcess[str]:
    """The same in Blender 5."""
    return _run(str(BLENDER5), str(script), *options)


WHEELS = [
    pytest.param(bpy_run, marks=needs_bpy, id="wheel"),
    pytest.param(blender5_run, marks=needs_blender5, id="blender5"),
]
NO_BLENDER = importlib.util.find_spec("bpy") is None and BLENDER is None
ANY_START = blender_run if importlib.util.find_spec("bpy") is None else bpy_run
ALL = [*WHEELS, pytest.param(blender_run, marks=needs_blender, id="binary")]


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=500)
