from __future__ import annotations

import itertools
import logging

import pytest

from factory import console


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
