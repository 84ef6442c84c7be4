from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture import InputError, Labels, write_json
from factory.cli.main import main
from factory.stages import stamps as stages
from factory.stages.failures import StageError
from factory.stages.generate import generate_head
from factory.stages.heads import generate_heads
from factory.stages.overrides import read_overrides
from factory.stages.processes import run_stage
from factory.stages.registry import STAGES
from factory.stages.seeds import parse_seeds
from factory.stages.settings import RenderSettings
from labeling.settings import LabelSettings
from reconstruction.settings import ReconstructionSettings
from tests.helpers import make_capture

REPO = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("text", "seeds"), [("0", [0]), ("2:5", [2, 3, 4]), ("7,1,7", [7, 1])])
def test_seeds(text: str, seeds: list[int]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "1:2:3", "5:5", "-1", "1.5", "0:", "100000000", "0:99999999999"])
def test_bad_seeds_are_named(text: str) -> None:
    with pytest.raises(InputError, match="seeds"):
        parse_seeds(text)


def test_bad_render_settings_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="resolution"):
        RenderSettings(resolution=4)
    with pytest.raises(InputError, match="sample"):
        RenderSettings(samples=0)
    with pytest.raises(InputError, match="no such Blender"):
        RenderSettings(blender=tmp_path / "blender")
    with pytest.raises(InputError, match=r"hair\.family: 'sohrt' does not fit; use none, "):
        read_overrides(None, {"hair": {"family": "sohrt"}})
    overrides = tmp_path / "heads.yaml"
    overrides.write_text("skin: {melanin: [0.5, ")
    with pytest.raises(InputError, match=r"heads\.yaml: not valid YAML"):
        read_overrides(overrides)
    overrides.write_text("beard: {famly: none}")
    with pytest.raises(InputError, match=r"heads\.yaml: beard: unknown famly; it draws .*family"):
        read_overrides(overrides)


def test_overrides_come_from_a_file_and_from_options(tmp_path: Path) -> None:
    overrides = tmp_path / "heads.yaml"
    overrides.write_text("hair: {family: [long_wavy, bob], clump: 0.5}\nskin: {melanin: [0.2, 0.4]}\n")
    joined = read_overrides(overrides, {"hair": {"family": "bob"}, "beard": {"family": None}})
    assert joined.to_json() == {"hair": {"family": "bob", "clump": 0.5}, "skin": {"melanin": [0.2, 0.4]}}


def test_bad_scan_settings_are_named_before_anything_is_rendered() -> None:
    with pytest.raises(InputError, match="at least 100"):
        ReconstructionSettings(vertices=3)
    for threshold in (0.0, -1.0, float("nan")):
        with pytest.raises(InputError, match="threshold"):
            LabelSettings(threshold_mm=threshold)


def stage(tmp_path: Path, program: str, seen: list | None = None) -> None:
    on_progress = None if seen is None else lambda *step: seen.append(step)
    run_stage([sys.executable, "-c", program], "render head_1", tmp_path / "logs" / "a.log", on_progress)


def test_a_stage_reports_its_progress_and_keeps_a_log(tmp_path: Path) -> None:
    seen: list = []
    stage(tmp_path, "print('hello'); print('p2p-progress head_1 view 3/13')", seen)
    assert seen == [("view", 3, 13)]
    assert (tmp_path / "logs" / "a.log").read_text() == "hello\n"


def test_a_users_mistake_comes_through(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^no such file: x$"):
        stage(tmp_path, "import sys; print('error: no such file: x', file=sys.stderr); sys.exit(2)")


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import os; os.kill(os.getpid(), 11)", "killed by SIGSEGV"),
        ("raise RuntimeError('boom')", "exit code 1: RuntimeError: boom"),
        ("import sys; sys.exit(3)", "exit code 3: it said nothing"),
    ],
)
def test_a_crash_names_the_stage_and_the_log(tmp_path: Path, program: str, reason: str) -> None:
    with pytest.raises(StageError, match=rf"render head_1 failed \({reason}.*a\.log"):
        stage(tmp_path, program)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't start /no/blender"):
        run_stage(["/no/blender"], "render head_1", tmp_path / "a.log")


def test_stages_know_what_is_whole(tmp_path: Path) -> None:
    def make(stage: str, options: dict) -> None:
        names = [pattern.replace("view_*", "*").replace("*", "view_00") for pattern in STAGES[stage].outputs]
        stages.run_stamped(tmp_path, stage, options, lambda: [touch(name, str(options)) for name in names])

    def touch(name: str, content: str) -> None:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)

    def whole(stage: str, options: dict) -> bool:
        return stages.is_whole(tmp_path, stage, stages.stage_key(tmp_path, stage, options))

    assert not whole("generate", {"seed": 1})
    make("generate", {"seed": 1})
    make("reconstruct", {"backend": "cpu"})
    assert whole("generate", {"seed": 1}) and whole("reconstruct", {"backend": "cpu"})
    assert not whole("generate", {"seed": 2}) and not whole("reconstruct", {"backend": "cuda"})
    assert stages.history(tmp_path)["generate"]["options"] == {"seed": 1}

    make("generate", {"seed": 2})  # a change upstream redoes what follows
    assert not whole("reconstruct", {"backend": "cpu"})

    make("reconstruct", {"backend": "cpu"})
    make("label", {})
    (tmp_path / "scan.ply").write_text("somebody else's")
    assert not whole("reconstruct", {"backend": "cpu"})
    make("reconstruct", {"backend": "cpu"})
    assert not whole("label", {}) and not (tmp_path / "labels.npz").exists()  # it was of the other scan
    (tmp_path / "images" / "view_00").unlink()
    assert not whole("generate", {"seed": 2})

    stages.forget(tmp_path, "generate")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "replaced" / "scan.ply"]


def test_a_blender_that_makes_nothing_is_no_success(tmp_path: Path) -> None:
    """A Blender that can't run the script says so and ends with code 0."""
    blender = tmp_path / "blender"
    blender.write_text("#!/bin/sh\necho no python\n")
    blender.chmod(0o755)
    with pytest.raises(StageError, match=r"head_00000000 ended without a capture.*head_00000000\.generate\.log"):
        generate_head(0, tmp_path / "captures", RenderSettings(blender=blender))
    assert not stages.read_record(tmp_path / "captures" / "head_00000000", "generate")


def test_a_head_whose_labels_a_person_painted_is_not_rendered_anew(tmp_path: Path) -> None:
    """The scan that they are of would go; the folder stays as it is."""
    blender = tmp_path / "blender"
    blender.write_text("#!/bin/sh\ntouch started\n")
    blender.chmod(0o755)
    folder = make_capture(tmp_path / "head_00000000").folder
    Labels(np.full(2, np.nan, np.float32), np.array([True, False]), painted=True).write(folder / "labels.npz")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for force in (False, True):
        with pytest.raises(InputError, match=r"head_00000000/labels\.npz was painted by a person"):
            generate_head(0, tmp_path, RenderSettings(blender=blender), force=force)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "logs").exists()


def test_painted_labels_of_a_later_head_are_told_before_the_first(tmp_path: Path) -> None:
    path = tmp_path / "head_00000007" / "labels.npz"
    Labels(np.full(2, np.nan, np.float32), np.array([True, False]), painted=True).write(path)
    with pytest.raises(InputError, match=r"head_00000007/labels\.npz was painted by a person"):
        generate_heads([0, 7], tmp_path, RenderSettings())
    assert [folder.name for folder in tmp_path.iterdir()] == ["head_00000007"]


def test_a_stage_that_fails_has_no_stamp(tmp_path: Path) -> None:
    def fail() -> None:
        raise InputError("no")

    write_json(tmp_path / "stages" / "label.json", {"key": "old", "seconds": 1, "options": {}, "files": {}})
    with pytest.raises(InputError):
        stages.run_stamped(tmp_path, "label", {}, fail)
    assert stages.read_record(tmp_path, "label") is None


@given(st.dictionaries(st.sampled_from("abc"), st.integers(0, 3)))
def test_stage_keys_ignore_the_order_of_options(tmp_path_factory: pytest.TempPathFactory, options: dict) -> None:
    folder = tmp_path_factory.getbasetemp()
    turned = dict(reversed(options.items()))
    assert stages.stage_key(folder, "label", options) == stages.stage_key(folder, "label", turned)
    assert stages.stage_key(folder, "label", options | {"d": 1}) != stages.stage_key(folder, "label", options)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere stages end as their shell has it")
@pytest.mark.parametrize("before", [signal.default_int_handler, signal.SIG_IGN])
def test_an_interrupted_stage_may_clean_up(before: Any, tmp_path: Path) -> None:
    """Also where what started us in the background has us ignore interrupts, which stages inherit."""
    program = f"""
import pathlib, sys, time
sys.path.insert(0, {str(REPO)!r})
from capture.runtime.lifetime import end_with_parent
end_with_parent()
half = pathlib.Path({str(tmp_path)!r}, "half")
try:
    half.touch()
    print("p2p-progress head_1 view 1/2", flush=True)
    time.sleep(60)
finally:
    half.unlink()
"""

    def interrupt(*step: object) -> None:
        raise KeyboardInterrupt

    now = signal.signal(signal.SIGINT, before)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_stage([sys.executable, "-c", program], "render head_1", tmp_path / "a.log", interrupt)
    finally:
        signal.signal(signal.SIGINT, now)
    assert not (tmp_path / "half").exists()


@pytest.mark.slow
def test_a_device_that_is_not_there_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cycles itself would render on the CPU and say nothing."""
    pytest.importorskip("bpy", reason="renders with the bpy wheel")
    if "NVIDIA_VISIBLE_DEVICES" in os.environ or Path("/dev/nvidia0").exists():
        pytest.skip("this machine has the GPU that the test wants missing")
    assert main(["generate", "--device", "cuda", "--out", str(tmp_path), "--resolution", "32"]) == 2
    assert "--device cuda: this machine shows no such GPU" in capsys.readouterr().err
    assert not (tmp_path / "head_00000000" / "capture.json").exists()
    assert main(["generate", "--device", "metal", "--out", str(tmp_path), "--resolution", "32"]) == 2
    assert "--device metal" in capsys.readouterr().err
