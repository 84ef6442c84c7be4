from __future__ import annotations

import itertools
import logging

import pytest

from capture import InputError
from factory import console
from tests.logging_state import logging_kept


def test_log_lines_tell_the_time_left_of_the_present_kind_of_step(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = itertools.count(0, 10)
    monkeypatch.setattr(console.time, "monotonic", lambda: float(next(clock)))
    caplog.set_level(logging.INFO, "factory.console")
    show = console._LogLines("head_1")
    for done, total, note in ((1, 4, "views"), (2, 4, "views"), (1, 3, "masks"), (3, 3, "masks")):
        show(done, total, note)
    assert caplog.messages == [
        "head_1: 1 of 4, 10 s, about 30 s left (views)",
        "head_1: 2 of 4, 20 s, about 20 s left (views)",
        "head_1: 1 of 3, 30 s, about 20 s left (masks)",
        "head_1: 3 of 3, 40 s (masks)",
    ]


def test_a_series_tells_which_item_it_is_at_and_the_time_left_for_all(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    monkeypatch.setattr(console.time, "monotonic", lambda: now)
    caplog.set_level(logging.INFO, "factory.console")
    series = console.Series(4)
    for name, seconds in (("a", 0.0), ("b", 100.0), ("c", 200.0), ("d", 10.0)):  # the first was finished before
        with series.track(name) as bar:
            now += seconds
            bar(13, "view", 13)
    assert caplog.messages == [
        "head 1 of 4 (a): 13 of 13, 0 s (view)",
        "head 2 of 4 (b): 13 of 13, 100 s (view)",
        "head 3 of 4 (c), about 3 min left for all: 13 of 13, 200 s (view)",
        "head 4 of 4 (d), about 2 min left for all: 13 of 13, 10 s (view)",
    ]


def test_messages_call_parameters_as_the_command_line_does(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def rewrite(text: str) -> str:
        return text.replace("`unit`", "--unit")

    def fail() -> None:
        logging.getLogger("scans").warning("a wrong `%s`", "unit")
        raise InputError("state its `unit`")

    console.setup_logging(rewrite=rewrite)
    assert console.exit_code_of(fail, rewrite) == 2
    said = capsys.readouterr().err
    assert "a wrong --unit" in said and "error: state its --unit" in said


def test_a_command_in_this_process_leaves_the_log_as_it_was() -> None:
    loggers = [logging.getLogger(), *map(logging.getLogger, console.PACKAGES)]

    def state() -> list[tuple[int, list[logging.Handler]]]:
        return [(logger.level, list(logger.handlers)) for logger in loggers]

    before = state()
    with logging_kept():
        console.setup_logging(verbose=True)
        assert state() != before and logging.getLogger("scans").level == logging.DEBUG
    assert state() == before
