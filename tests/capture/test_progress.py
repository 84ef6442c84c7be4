"""What a process says of its progress is what the one that started it reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.runtime.progress import ASKED, StepProgress, StepTimes, parse_line, progress_lines_requested

words = st.text()  # names of folders are people's to choose
counts = st.integers(0, 10**9)
seconds = st.floats(0, 1e9)


@given(words, words, counts, counts)
def test_progress_comes_back(name: str, step: str, done: int, total: int) -> None:
    told = StepProgress(name, step, done, total)
    assert parse_line(told.line) == parse_line(f"{told.line}\n") == told
    assert told.line.isascii() and len(told.line.splitlines()) == 1


@given(words, st.dictionaries(words, seconds))
def test_times_come_back(name: str, times: dict[str, float]) -> None:
    told = StepTimes(name, times)
    assert parse_line(f"{told.line}\n") == told
    assert told.line.isascii() and len(told.line.splitlines()) == 1


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (StepProgress("head_00000003", "view", 13, 13), "p2p-progress head_00000003 view 13/13"),
        (StepProgress("head_00000003", "depth maps", 1, 9), "p2p-progress head_00000003 depth%20maps 1/9"),
        (StepTimes("head_00000003", {"first view": 0.5}), 'p2p-times head_00000003 {"first view": 0.5}'),
    ],
)
def test_lines_look_as_they_always_did(told: StepProgress | StepTimes, line: str) -> None:
    assert told.line == line


@pytest.mark.parametrize(
    "line",
    ["", "Fra:1 Mem:30M", "p2p-progress", "p2p-progress a b", "p2p-progress a b 1", "p2p-times a", "p2p-times a {b}",
     'p2p-times a {"b": null}', " p2p-progress a b 1/2"],
)  # fmt: skip
def test_anything_else_is_no_line_of_ours(line: str) -> None:
    assert parse_line(line) is None


@given(words)
def test_whatever_a_process_prints_is_read_without_an_error(line: str) -> None:
    parse_line(line)
    parse_line(f"p2p-progress {line}")
    parse_line(f"p2p-times a {line}")


def test_lines_are_written_where_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("P2P_PROGRESS", raising=False)
    assert not progress_lines_requested()
    monkeypatch.setenv("P2P_PROGRESS", "bar")
    assert not progress_lines_requested()
    for name, value in ASKED.items():
        monkeypatch.setenv(name, value)
    assert progress_lines_requested()
