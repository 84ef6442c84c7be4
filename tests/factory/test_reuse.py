"""Captures that are met again are reused, refused, or removed as a whole: nothing goes in silence."""

from __future__ import annotations

import json
import logging
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import pixels2points
from capture import InputError, Labels, Scan
from capture.derived import PREDICTION, REGISTRATION
from factory.cli.main import main
from factory.stages.stamps import foreign_inputs, is_made, run_stamped
from tests.helpers import make_capture

BLENDER = """#!{python}
import json, pathlib, sys
job = json.loads(pathlib.Path(sys.argv[-1]).read_text())["settings"]
text = json.dumps(job)
for head in job["heads"]:
    folder = pathlib.Path(head["folder"])
    for name in ("images/view_00.png", "sparse/cameras.txt", "head.ply", "capture.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps({{"versions": {{"generator": "0"}}, "made": text}}))
"""
DERIVED = ("scan.ply", "labels.npz", "quality.json", *PREDICTION, *REGISTRATION)


class Folder:
    """A folder of captures, rendered by a program that writes what it was asked for."""

    def __init__(self, root: Path, blender: Path) -> None:
        self.head, self.blender = root / "captures" / "head_00000000", blender

    def generate(self, *words: str) -> int:
        out = str(self.head.parent)
        return main(["generate", "--out", out, "--blender", str(self.blender), "--resolution", "64", *words])

    def files(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.head)): path.read_bytes() for path in self.head.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    root = tmp_path_factory.mktemp("rendered")
    blender = root / "blender"
    blender.write_text(BLENDER.format(python=sys.executable))
    blender.chmod(0o755)
    made = Folder(root, blender)
    assert made.generate("--passes", "depth,normals", "--samples", "2") == 0
    for name in DERIVED:
        (made.head / name).parent.mkdir(exist_ok=True)
        (made.head / name).write_text("of these images")
    return made


@pytest.fixture
def folder(rendered: Folder, tmp_path: Path) -> Folder:
    shutil.copytree(rendered.head.parent, tmp_path / "captures")
    return Folder(tmp_path, rendered.blender)


@pytest.mark.parametrize("passes", ["depth,normals", "normals,depth", "depth", ""])
def test_options_that_take_nothing_away_cost_nothing(folder: Folder, passes: str) -> None:
    before = folder.files()
    words = ["--passes", passes] if passes else []
    assert folder.generate(*words, "--samples", "2") == 0
    assert folder.files() == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--passes", "depth,uv", "--samples", "2"), 'passes is ["depth", "normals"] there, ["depth", "uv"] here'),
        (("--passes", "depth", "--samples", "3"), "samples is 2 there, 3 here"),
        (("--samples", "2", "--hair", "bob"), 'distributions.hair is null there, {"family": "bob"} here'),
    ],
)
def test_other_options_are_refused_and_named(
    folder: Folder, words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = folder.files()
    assert folder.generate(*words) == 2
    said = capsys.readouterr().err
    assert told in said and said.count("\n") == 1
    assert "--force renders it again and removes scan.ply, labels.npz, quality.json, prediction/, registration/" in said
    assert folder.files() == before


def test_force_removes_what_came_of_the_former_images_as_a_whole_and_says_so(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = folder.head / "prediction" / "notes.txt"
    notes.write_text("the user's own")
    assert folder.generate("--samples", "3", "--force") == 0
    left = set(folder.files())
    assert not left & set(DERIVED) and "prediction/notes.txt" in left
    assert not (folder.head / "registration").exists()
    assert (
        "scan.ply, labels.npz, quality.json, prediction/, registration/ removed, which came of"
        in capsys.readouterr().err
    )


def test_the_later_of_two_heads_is_refused_before_the_first_is_rendered(folder: Folder) -> None:
    folder.head.rename(folder.head.with_name("head_00000001"))
    assert folder.generate("--seeds", "0:2") == 2
    assert not folder.head.exists()


def test_images_that_changed_are_refused_where_a_scan_came_of_them(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder.head / "images" / "view_00.png").write_text("retouched")
    assert folder.generate("--passes", "depth,normals", "--samples", "2") == 2
    assert "images/view_00.png changed since it was rendered" in capsys.readouterr().err
    for name in DERIVED:
        (folder.head / name).unlink()
    assert folder.generate("--passes", "depth,normals", "--samples", "2") == 0  # nothing to lose: repaired
    assert "retouched" not in (folder.head / "images" / "view_00.png").read_text()


def test_a_capture_that_something_else_made_is_refused(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    (folder.head / "stages" / "generate.json").unlink()
    assert folder.generate("--passes", "depth,normals", "--samples", "2") == 2
    assert "a capture is there that this command did not make, or not finish" in capsys.readouterr().err


def test_another_version_is_named(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    stamp = folder.head / "stages" / "generate.json"
    stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {"key": "of another version"}))
    assert folder.generate("--passes", "depth,normals", "--samples", "2") == 2
    assert "by another version of the program (its generator is 0, this one " in capsys.readouterr().err


def test_python_refuses_as_the_command_does(folder: Folder) -> None:
    before = folder.files()
    with pytest.raises(InputError, match="samples is 2 there, 5 here"):
        pixels2points.make_head(0, folder.head.parent, samples=5, resolution=64, blender=folder.blender)
    assert folder.files() == before


def stamped(tmp_path: Path) -> Path:
    """A capture whose images and scan have the stamps of their stages."""
    folder = make_capture(tmp_path / "head_00000000").folder
    scan = (folder / "scan.ply").read_bytes()
    (folder / "scan.ply").unlink()
    (folder / "labels.npz").unlink()
    run_stamped(folder, "generate", {}, lambda: None)
    run_stamped(folder, "reconstruct", {}, lambda: (folder / "scan.ply").write_bytes(scan))
    return folder


def test_labels_of_the_same_options_are_left_alone_and_those_of_others_redone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = stamped(tmp_path)
    assert main(["label", str(folder)]) == 0
    before = (folder / "labels.npz").stat().st_mtime_ns
    assert main(["label", str(folder)]) == 0
    assert (
        folder / "labels.npz"
    ).stat().st_mtime_ns == before and "made with the same options" in capsys.readouterr().err

    for name, source in ((REGISTRATION[0], f"skin by the labels in {folder}/labels.npz"), (PREDICTION[0], "")):
        (folder / name).parent.mkdir()
        (folder / name).write_text(json.dumps({"labels": source}))
    assert main(["label", str(folder), "--threshold-mm", "3"]) == 0
    assert (folder / "labels.npz").stat().st_mtime_ns != before
    assert not (folder / "registration").exists() and (folder / PREDICTION[0]).is_file()
    assert "registration/ removed, which came of the former labels" in capsys.readouterr().err


def test_a_scan_that_is_rebuilt_the_same_keeps_what_came_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    folder = stamped(tmp_path)
    scan = (folder / "scan.ply").read_bytes()
    run_stamped(folder, "label", {}, lambda: (folder / "labels.npz").write_bytes(b"labels"))
    (folder / "prediction").mkdir()
    (folder / PREDICTION[0]).write_text("of this scan")
    run_stamped(folder, "reconstruct", {}, lambda: (folder / "scan.ply").write_bytes(scan))
    assert (folder / "labels.npz").is_file() and (folder / PREDICTION[0]).is_file()
    run_stamped(folder, "reconstruct", {"vertices": 9}, lambda: (folder / "scan.ply").write_bytes(b"coarser"))
    assert not (folder / "labels.npz").exists() and not (folder / "prediction").exists()
    assert "labels.npz, prediction/ removed, which came of the former scan" in caplog.text


def test_a_scan_of_the_users_own_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = make_capture(tmp_path / "mine").folder
    own = (folder / "scan.ply").read_bytes()
    painted = Labels(np.full(642, np.nan, np.float32), np.ones(642, bool), painted=True)
    painted.write(folder / "labels.npz")

    def fail() -> None:
        raise InputError("no")

    with pytest.raises(InputError):
        run_stamped(folder, "reconstruct", {}, fail)
    assert not (folder / "replaced").exists()
    for number in (1, 2):
        run_stamped(folder, "reconstruct", {}, lambda n=number: Scan(np.eye(3), [[0, 1, 2]]).write(folder / "scan.ply"))
        (folder / "scan.ply").write_bytes(b"another")
    assert (folder / "replaced" / "scan.ply").read_bytes() == own
    assert (folder / "replaced" / "scan_1.ply").read_bytes() == b"another"
    assert Labels.read(folder / "labels.npz").painted
    assert f"kept as {folder}/replaced/scan.ply" in caplog.text


def test_a_stage_sees_that_a_users_images_changed(tmp_path: Path) -> None:
    """No stamp of an earlier stage tells it."""
    folder = make_capture(tmp_path / "mine").folder
    inputs = foreign_inputs(folder, "reconstruct")
    run_stamped(folder, "reconstruct", inputs, lambda: None)
    assert inputs and is_made(folder, "reconstruct", foreign_inputs(folder, "reconstruct"))
    (folder / "images" / "view_01.png").write_bytes(b"another")
    assert not is_made(folder, "reconstruct", foreign_inputs(folder, "reconstruct"))
    assert foreign_inputs(stamped(tmp_path), "label") == {}
