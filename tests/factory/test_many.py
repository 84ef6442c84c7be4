"""Several captures in one command: patterns, failures, the table, the exit code, processes."""

from __future__ import annotations

import logging
import os
from functools import partial
from pathlib import Path

import pytest

from capture import InputError
from factory.many import ManyOptions, Progress, apart, expand, refuse, run_each
from factory.stages.failures import StageError
from tests.helpers import p2p_here
from tests.scans.labelled import labelled_capture


def work(out: Path, path: Path, progress: Progress) -> str:
    """A capture's work by its name; a file tells which process did it, and with how many threads."""
    progress("half", 0.5)
    if path.name == "bad":
        raise InputError("`unit` is missing;\ngive it")
    if path.name == "odd":
        raise ValueError("a defect")
    if path.name == "killed":
        os._exit(9)
    (out / path.name).write_text(f"{os.getpid()} {os.environ.get('OMP_NUM_THREADS')}")
    return f"{path.name} is done"


def test_patterns_stand_for_what_is_there_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b", "a", ".hidden", "[odd]"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    given = [tmp_path / "b", tmp_path / "[ab]", tmp_path / "[odd]", tmp_path / "gone"]
    assert [path.name for path in expand(given)] == ["b", "a", "[odd]", "gone"]  # a folder of that name is no pattern
    assert expand([Path("*")]) == [Path("[odd]"), Path("a"), Path("b")]
    (tmp_path / "a" / "deep").mkdir()
    assert expand([Path("[ab]**"), Path("**/deep")]) == [Path("a"), Path("b"), Path("a/deep")]
    (tmp_path / "a" / "deep" / "deeper").mkdir()
    assert expand([Path("**/deeper")]) == [Path("a/deep/deeper")]
    assert expand([Path("**")]) == expand([Path("*")])  # captures, not what is in them
    with pytest.raises(InputError, match="x\\*: nothing is called so"):
        expand([Path("x*")])


def test_a_pattern_of_meshes_can_be_given_again(tmp_path: Path) -> None:
    """Folders that commands have made of a mesh stand for nothing beside it."""
    for name in ("a.ply", "b.v2.GLB", "c.png"):
        (tmp_path / name).touch()
    before = expand([tmp_path / "*"])
    for name in ("a.capture", "a.registration", "b.v2.capture"):
        (tmp_path / name).mkdir()
    assert expand([tmp_path / "*"]) == before and len(before) == 3
    for name in ("c.capture", "d.registration"):  # of no mesh here
        (tmp_path / name).mkdir()
    assert {path.name for path in {*expand([tmp_path / "*"])} - {*before}} == {"c.capture", "d.registration"}
    assert expand([tmp_path / "a.[c]*"]) == [tmp_path / "a.capture"]
    named = [tmp_path / "a.ply", tmp_path / "a.capture"]
    assert expand(named) == named


@pytest.mark.parametrize("jobs", [1, 2])
def test_it_goes_on_after_failures_and_tells_of_all(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, jobs: int
) -> None:
    names = ["one", "bad", "odd", "two", *(["killed", "three"] if jobs > 1 else [])]
    with caplog.at_level(logging.INFO), pytest.raises(StageError) as told:
        run_each([Path(name) for name in names], partial(work, tmp_path), "doing", ManyOptions(jobs))
    failed = [name for name in names if name in ("bad", "odd", "killed")]
    assert str(told.value).startswith(f"{len(failed)} of {len(names)} captures failed: ")
    lines = {line.split()[0]: line for line in caplog.messages if "  failed  " in line or "  done  " in line}
    assert list(lines) == names  # in the order that they were given
    assert "`unit` is missing; give it" in lines["bad"] and "ValueError: a defect" in lines["odd"]
    assert "one is done" in lines["one"]
    done = {path.name: path.read_text().split() for path in tmp_path.iterdir()}
    if jobs == 1:
        assert {pid for pid, _ in done.values()} == {str(os.getpid())} and set(done) == {"one", "two"}
        return
    assert "its process ended" in lines["killed"]
    assert {"one", "two", "three"} == set(done) and str(os.getpid()) not in {pid for pid, _ in done.values()}
    cores = len(os.sched_getaffinity(0))
    wanted = {os.environ.get("OMP_NUM_THREADS", str(max(1, cores // each))) for each in (1, 2)}  # one by one, or two
    assert {threads for _, threads in done.values()} <= wanted


def test_what_is_for_one_is_refused_for_several(tmp_path: Path) -> None:
    refuse(2, {"scan": None})
    with pytest.raises(InputError, match="`scan`, `masks`: for one capture, 2 were given"):
        refuse(2, {"scan": Path("x"), "masks": Path("y"), "other": None})
    with pytest.raises(InputError, match="`jobs` 0"):
        ManyOptions(0)
    (tmp_path / "head.one").mkdir()
    places = apart([tmp_path / "head.one", tmp_path / "head.obj"], tmp_path / "out")
    assert [path.name for path in places.values()] == ["head.one", "head"]
    with pytest.raises(InputError, match="two are called head"):
        apart([Path("a/head.obj"), Path("b/head.ply")], tmp_path)


def test_two_that_share_an_output_folder_are_refused_before_any_is_done(tmp_path: Path) -> None:
    meshes = [tmp_path / "head.ply", tmp_path / "head.obj"]
    for mesh in meshes:
        mesh.write_text("no mesh")
    (tmp_path / "head.capture").mkdir()
    for words, where in (
        (("segment", *meshes), "head.capture"),
        (("segment", meshes[0], tmp_path / "head.capture"), "head.capture"),
        (("landmarks", tmp_path / "head.*"), "head.capture"),
        (("register", *meshes), "head.registration"),
    ):
        code, said = p2p_here(*words)
        assert code == 2 and said.count("\n") == 1, said
        assert f"are both written into {tmp_path / where}; leave one of them out" in said
    code, said = p2p_here("register", meshes[0], tmp_path / "head.capture")
    assert code == 1 and "2 of 2 captures failed" in said, said


def test_segmenting_several_captures(tmp_path: Path) -> None:
    for name in ("a", "b"):
        labelled_capture(tmp_path / "heads" / name)
    code, said = p2p_here("segment", tmp_path / "heads" / "*", tmp_path / "none", "--reuse")
    assert code == 1 and "2 of 3 captures done" in said, said
    assert f"1 of 3 captures failed: {tmp_path / 'none'}" in said
    assert all((tmp_path / "heads" / name / "prediction" / "view.html").is_file() for name in ("a", "b"))
    code, said = p2p_here("segment", tmp_path / "heads" / "a", tmp_path / "heads" / "b", "--reuse", "--scan", "x.ply")
    assert code == 2 and "--scan: for one capture, 2 were given" in said, said
    code, said = p2p_here("segment", tmp_path / "heads" / "a", "--reuse")
    assert code == 0 and "captures" not in said, said


def test_other_commands_take_several_too(tmp_path: Path) -> None:
    for words in (("register",), ("register", "--labels", "none"), ("reconstruct",)):
        code, said = p2p_here(words[0], tmp_path / "x", tmp_path / "y", *words[1:])
        assert code == 1 and f"2 of 2 captures failed: {tmp_path / 'x'}, {tmp_path / 'y'}" in said, said
    code, said = p2p_here("register", tmp_path / "x", tmp_path / "y", "--labels", "labels.npz")
    assert code == 2 and "--labels: for one capture" in said
    code, said = p2p_here("reconstruct", tmp_path / "x", tmp_path / "y", "--workspace", tmp_path / "w")
    assert code == 2 and "--workspace: for one capture" in said


def test_a_configuration_names_one_capture_or_several(tmp_path: Path) -> None:
    labelled_capture(tmp_path / "a")
    config = tmp_path / "options.yaml"
    for text in (f"capture: {tmp_path / 'a'}\n", f"capture: [{tmp_path / 'a'}, {tmp_path / 'b'}]\n"):
        config.write_text(text + "reuse: true\n")
        code, said = p2p_here("segment", "--config", config)
        assert code == (1 if "[" in text else 0), said
