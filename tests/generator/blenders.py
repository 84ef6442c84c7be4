"""The Blenders that tests start: the bpy wheel of this Python, the binary on PATH, and a wheel of Blender 5."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.helpers import REPO

SCRIPT = REPO / "blender_scripts" / "generate.py"
BLENDER = shutil.which("blender")
BLENDER5 = os.environ.get("P2P_BLENDER5_PYTHON")

Start = Callable[..., "subprocess.CompletedProcess[str]"]

needs_bpy = pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="the bpy wheel is not installed")
needs_blender = pytest.mark.skipif(BLENDER is None, reason="no blender binary on PATH")
needs_blender5 = pytest.mark.skipif(
    BLENDER5 is None, reason="no Blender 5: P2P_BLENDER5_PYTHON names no Python that has bpy 5"
)


def bpy_run(*options: str) -> subprocess.CompletedProcess[str]:
    """What `generate.py` does in the wheel of this Python."""
    return _run(sys.executable, str(SCRIPT), *options)


def blender_run(*options: str) -> subprocess.CompletedProcess[str]:
    """The same in the binary on PATH."""
    return _run(str(BLENDER), "--background", "--python", str(SCRIPT), "--", *options)


def blender5_run(*options: str) -> subprocess.CompletedProcess[str]:
    """The same in Blender 5."""
    return _run(str(BLENDER5), str(SCRIPT), *options)


WHEELS = [
    pytest.param(bpy_run, marks=needs_bpy, id="wheel"),
    pytest.param(blender5_run, marks=needs_blender5, id="blender5"),
]
ANY = pytest.param(
    blender_run if importlib.util.find_spec("bpy") is None else bpy_run,
    marks=pytest.mark.skipif(importlib.util.find_spec("bpy") is None and BLENDER is None, reason="no Blender"),
)
ALL = [*WHEELS, pytest.param(blender_run, marks=needs_blender, id="binary")]


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=500)
