"""What stages used."""

from __future__ import annotations

import resource
import sys
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from factory.stages.usage import own_usage, peak_bytes


@pytest.mark.parametrize(("platform", "held"), [("linux", 3 * 2**30), ("freebsd14", 3 * 2**30), ("darwin", 3 * 2**20)])
def test_the_peak_is_counted_as_the_system_counts(platform: str, held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    used: Any = SimpleNamespace(ru_maxrss=3 * 2**20)
    assert peak_bytes(used) == held


def test_the_peak_of_this_process_is_what_another_library_sees() -> None:
    held = psutil.Process().memory_info().rss
    peak = peak_bytes(resource.getrusage(resource.RUSAGE_SELF))
    assert 0.9 * held < peak < 100 * held
    assert own_usage().peak_gib >= round(peak / 2**30, 3)
