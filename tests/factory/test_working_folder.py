"""No file of the folder that a command is run in is ever imported, whatever it is called."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from capture.runtime.import_path import ROOT, import_environment, import_folders, safe_imports
from factory.stages.processes import run_stage
from tests.decoys import P2P, imported, python, write_decoys
from tests.helpers import make_capture

BLENDER = shutil.which("blender")
needs_bpy = pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="the bpy wheel is not installed")
needs_blender = pytest.mark.skipif(BLENDER is None, reason="no blender binary on PATH")
REPO = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("factory.cli", "--help"), 0),
        (("training", "--help"), 0),
        (("training.pixels", "fit", "--data.dataset", "none"), 2),  # imports what matters here, and no library
    ],
)
def test_modules_that_are_run_by_name(words: tuple[str, ...], code: int, tmp_path: Path) -> None:
    """`python -m` itself searches the working folder, but for the package of that name nothing there is imported."""
    told = write_decoys(tmp_path, leave_out=(words[0].split(".")[0],))
    done = python(tmp_path, "-m", *words)
    assert done.returncode == code and (code or "usage: " in done.stdout), done.stderr
    assert imported(told) == []


@pytest.mark.parametrize("named", ["", os.pathsep, f"{os.pathsep}/nowhere"])
def test_a_stage_of_python(named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where `PYTHONPATH` holds an empty entry, as `PYTHONPATH=$PYTHONPATH:folder` makes it."""
    told = write_decoys(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", named)
    run_stage([sys.executable, "-c", "import json, numpy, capture, training"], "label x", tmp_path / "logs" / "x.log")
    run_stage([sys.executable, "-m", "factory.cli", "--help"], "label x", tmp_path / "logs" / "x.log")
    assert imported(told) == []


def test_processes_that_libraries_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the loaders of training are, by Python's own multiprocessing, with `python -c`."""
    told = write_decoys(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    with safe_imports():
        process = multiprocessing.get_context("spawn").Process(target=import_something)
        process.start()
        process.join()
    assert process.exitcode == 0 and imported(told) == []
    assert dict(os.environ) == before


def import_something() -> None:
    import capture

    assert Path(capture.__file__).is_relative_to(REPO)


def test_what_children_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our packages from where this process has them, and what the user names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", "/mine", "below", str(ROOT), ""]))
    assert import_folders() == [str(REPO)]
    assert import_environment()["PYTHONPATH"].split(os.pathsep) == [str(REPO), "/mine", str(tmp_path / "below")]
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if Path(entry).resolve() != REPO])
    assert import_folders() == []  # installed: found without being told
    monkeypatch.delenv("PYTHONPATH")
    assert import_environment() == {"PYTHONSAFEPATH": "1", "PYTHONPATH": ""}


@needs_blender
@pytest.mark.slow
def test_blenders_own_python(tmp_path: Path) -> None:
    told = write_decoys(tmp_path / "here")
    words = ("generate", "--blender", BLENDER, "--resolution", 32, "--samples", 1, "--out", tmp_path / "captures")
    done = python(tmp_path / "here", *P2P, *words)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "captures" / "head_00000000" / "capture.json").is_file()
    assert imported(told) == []


@needs_bpy
@pytest.mark.slow
def test_painting(tmp_path: Path) -> None:
    told = write_decoys(tmp_path / "here")
    capture = make_capture(tmp_path / "somebody").folder
    done = python(tmp_path / "here", *P2P, "annotate", capture, "--unit", "m")
    assert done.returncode == 0 and (capture / "annotation.blend").is_file(), done.stderr[-2000:]
    assert imported(told) == []


@needs_blender
@pytest.mark.slow
def test_nothing_that_lies_beside_our_packages(tmp_path: Path) -> None:
    """Installed, they lie among libraries for another Python than Blender's."""
    installed = tmp_path / "site-packages"
    for name in ("assets", "blender_scripts", "capture", "generator"):
        shutil.copytree(REPO / name, installed / name, ignore=shutil.ignore_patterns("__pycache__"))
    told = write_decoys(tmp_path / "beside")
    for decoy in (tmp_path / "beside").glob("*.py"):
        if not (installed / decoy.stem).exists():
            shutil.copy(decoy, installed)
    script = installed / "blender_scripts" / "generate.py"
    command = [
        str(BLENDER),
        "--background",
        "--python",
        str(script),
        "--",
        "--seed",
        "0",
        "--out",
        str(tmp_path / "head"),
    ]
    done = subprocess.run([*command, "--spec-only"], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0 and (tmp_path / "head" / "spec.json").is_file(), done.stderr[-2000:]
    assert imported(told) == []
