"""A folder that is rendered into again keeps nothing that shows the former head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from capture import Capture, InputError, Labels
from generator.jobs.output_folder import forget_former

FORMER = (
    "capture.json", "head.ply", "scan.ply", "labels.npz", "quality.json", "blend.json", "stages/generate.json",
    "stages/label.json", "sparse/cameras.txt", "sparse/images.bin", "images/view_00.png",
    "images/.view_01.0123abcd.png", "masks/view_12.png",
)  # fmt: skip
NOT_OURS = ("notes.txt", "annotation.blend", "labels_1.npz", "images/DSC_0001.png", "stages/readme.md")


def test_all_that_shows_the_former_head_goes_and_nothing_else(tmp_path: Path) -> None:
    for name in (*FORMER, *NOT_OURS):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("former")
    forget_former(tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(NOT_OURS)


def test_what_says_that_the_rest_is_whole_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[str] = []
    for name in FORMER:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("former")
    unlink = Path.unlink
    monkeypatch.setattr(Path, "unlink", lambda path: (gone.append(path.name), unlink(path)))
    forget_former(tmp_path)
    assert gone[0] == Capture.INFO


@pytest.mark.parametrize("old", [False, True])
def test_labels_that_a_person_painted_are_refused_before_anything_goes(old: bool, tmp_path: Path) -> None:
    """Also where the file is from before there was a key that says so."""
    for name in FORMER:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("former")
    skin = np.array([True, False])
    Labels(np.full(2, np.nan, np.float32), skin, scan="a", painted=not old).write(tmp_path / Capture.LABELS)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(
        InputError, match=r"labels\.npz was painted by a person, .*; render into another folder, or move"
    ):
        forget_former(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    (tmp_path / Capture.LABELS).rename(tmp_path / "mine.npz")
    forget_former(tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["mine.npz"]


def test_nothing_to_forget(tmp_path: Path) -> None:
    forget_former(tmp_path / "not there")
    (tmp_path / "file").write_text("")
    forget_former(tmp_path / "file" / "below")


def test_a_file_that_stays_is_named(tmp_path: Path) -> None:
    (tmp_path / "capture.json").mkdir()
    with pytest.raises(InputError, match=r"capture\.json"):
        forget_former(tmp_path)
