from __future__ import annotations

import io
import json
import time
from pathlib import Path

import pytest
from rich.console import Console

from factory.cli.main import main
from factory.dataset.store import Store
from factory.production.display import HEARTBEAT, Status, View, duration, line, picture
from factory.production.plan import Plan, settle
from factory.production.status import describe


@pytest.fixture
def status() -> Status:
    made = Status(48, done=8, found=1, started=time.time() - 3600)
    made.add(7)
    for name, stage in (("a", "generate"), ("b", "generate"), ("c", "label"), ("d", "pack")):
        made.hear("started", {"id": name, "stage": stage})
    made.hear("stage", {"id": "d", "stage": "pack"})
    made.hear("attempt failed", {"id": "c", "stage": "label"})
    made.fail("not good enough", rejected=True)
    return made


def test_the_line_tells_all(status: Status) -> None:
    assert line(status) == (
        "15 of 48 heads; in work: generate 2; 7.0 an hour, 4.7 h left; given up: 1 not good enough; 1 failed attempts"
    )
    status.hear("paused", {"reason": "the disk of /x is full"})
    assert line(status).endswith("PAUSED: the disk of /x is full")
    status.hear("stage", {"id": "a", "stage": "generate"})
    assert "PAUSED" not in line(status) and "generate 1" in line(status)


def test_a_terminal_gets_a_bar(status: Status) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=110, color_system=None)
    status.hear("paused", {"reason": "the disk of /x is full"})
    console.print(picture(status))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert "━" in lines[0] and lines[1].startswith("15 of 48 heads; 7.0 an hour")
    assert lines[2].split() == ["generate", "2", "reconstruct", "0", "label", "0", "pack", "0"]
    assert lines[3] == "the disk of /x is full"


def test_before_there_is_a_rate_none_is_told() -> None:
    assert line(Status(3)) == "0 of 3 heads"


@pytest.mark.parametrize(("seconds", "text"), [(3, "3 s"), (600, "10 min"), (7200, "2.0 h"), (400_000, "4.6 days")])
def test_durations_are_said_as_people_do(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_status_says_who_works_and_since_when_nobody(tmp_path: Path, status: Status) -> None:
    store = Store(tmp_path)
    settle(store, Plan(48, 8))
    assert list(describe(store)) == [
        f"{store}: 0 of 48 heads; 0 of 4 shards, 0.0 MB, 0 heads in parts",
        "no run works on it; the same `p2p produce` goes on with it",
    ]
    with View(store) as view:
        view.show(status)
        lines = list(describe(store))
    assert "works on it, last heard of 0 s ago: 15 of 48 heads" in lines[1]
    assert lines[2:] == [
        "in work: generate 2",
        "7.0 heads an hour, 4.7 h left",
        "given up in this run: 1 not good enough",
        "1 failed attempts",
    ]
    assert not store.exists(HEARTBEAT)
    store.write(HEARTBEAT, json.dumps(status.to_json() | {"time": time.time() - 7200}).encode())
    assert "gave no sign of life for 2.0 h" in list(describe(store))[1]


def test_status_of_something_else_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(tmp_path)]) == 2
    assert "holds no data set of `p2p produce`" in capsys.readouterr().err
