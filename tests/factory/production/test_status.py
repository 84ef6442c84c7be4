from __future__ import annotations

import io
import json
import time
from pathlib import Path

import pytest
from rich.console import Console

from factory.cli.main import main
from factory.console import format_duration
from factory.dataset.store import Store
from factory.production.display import RunDisplay, render, status_line
from factory.production.settings.plan import Plan
from factory.production.state.heartbeat import HEARTBEAT
from factory.production.state.plan_file import claim_plan
from factory.production.state.run_status import RunStatus, describe_run
from factory.production.status import describe


@pytest.fixture
def status() -> RunStatus:
    made = RunStatus(48, done=8, started=time.time() - 3600)
    made.add(7)
    for name, stage in (("a", "generate"), ("b", "generate"), ("c", "label"), ("d", "pack")):
        made.update("started", {"id": name, "stage": stage})
    made.update("stage", {"id": "d", "stage": "pack"})
    made.update("attempt failed", {"id": "c", "stage": "label"})
    made.add_failure("not good enough", rejected=True)
    return made


def test_the_line_has_everything(status: RunStatus) -> None:
    assert status_line(status) == (
        "15 of 48 heads finished; 7.0 heads per hour, about 4.7 h left; running: generate a, b; "
        "replaced by other seeds: 1 rejected by quality gates; 1 failed attempt at a stage"
    )
    status.update("paused", {"reason": "the disk of /x is full"})
    assert status_line(status).endswith("PAUSED: the disk of /x is full")
    status.update("stage", {"id": "a", "stage": "generate"})
    assert "PAUSED" not in status_line(status) and "generate b" in status_line(status)


def test_of_many_heads_some_are_named() -> None:
    status = RunStatus(48)
    for number in range(9):
        status.update("started", {"id": f"head_{number}", "stage": "generate"})
    assert "running: generate head_0, head_1, head_2, head_3 and 5 more" in status_line(status)
    without_names = {key: value for key, value in status.to_json().items() if key != "running_heads"}
    assert "running: generate 9" in describe_run(without_names)  # the heartbeat of an earlier version


def test_a_terminal_gets_a_bar(status: RunStatus) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=110, color_system=None)
    status.update("paused", {"reason": "the disk of /x is full"})
    console.print(render(status))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert "━" in lines[0] and lines[1:3] == ["15 of 48 heads finished", "7.0 heads per hour, about 4.7 h left"]
    assert lines[3] == "running: generate a, b"
    assert lines[-1] == "PAUSED: the disk of /x is full"


def test_before_there_is_a_rate_none_is_shown() -> None:
    assert status_line(RunStatus(3)) == "0 of 3 heads finished; the time left is known after two heads"


@pytest.mark.parametrize(("seconds", "text"), [(3, "3 s"), (600, "10 min"), (7200, "2.0 h"), (400_000, "4.6 days")])
def test_durations_have_the_unit_that_people_use(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_status_names_the_run_or_its_end(tmp_path: Path, status: RunStatus) -> None:
    store = Store(tmp_path)
    claim_plan(store, Plan(48, 8))
    assert list(describe(store)) == [
        f"{store}: 0 of 48 heads finished; 0 of 4 shards written, 0.0 MB; 0 heads wait for their shard to be full",
        "no run is working on it; run the same `p2p produce` command to resume",
    ]
    with RunDisplay(store) as display:
        display.show(status)
        lines = list(describe(store))
    assert "a run is working on it" in lines[1] and "last report 0 s ago" in lines[1]
    assert lines[2:] == [
        "15 of 48 heads finished",
        "7.0 heads per hour, about 4.7 h left",
        "running: generate a, b",
        "replaced by other seeds: 1 rejected by quality gates",
        "1 failed attempt at a stage",
    ]
    assert not store.exists(HEARTBEAT)
    store.write(HEARTBEAT, json.dumps(status.to_json() | {"time": time.time() - 7200}).encode())
    assert "last reported 2.0 h ago and has probably died" in list(describe(store))[1]


def test_status_of_something_else_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(tmp_path)]) == 2
    assert "holds no data set of `p2p produce`" in capsys.readouterr().err
