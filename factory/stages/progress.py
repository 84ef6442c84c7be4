"""Progress of a stage: lines for the process that started it, which shows a bar, or a bar of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from capture.runtime.progress import StepProgress, progress_lines_requested
from factory.console import Track, track

# Called with (what is being done, steps done, steps in all).
Report = Callable[[str, int, int], None]


@contextmanager
def show_progress(name: str) -> Iterator[Report]:
    """A callback that shows the steps of a stage on the capture `name`."""
    if progress_lines_requested():
        yield lambda what, done, total: _write_line(name, what, done, total)
        return
    with track(name, 0) as bar:
        yield as_report(bar)


def as_report(bar: Track) -> Report:
    """A callback that shows each kind of step on one bar, starting anew with every kind."""
    return lambda what, done, total: bar(done, what, total)


def _write_line(name: str, what: str, done: int, total: int) -> None:
    sys.stdout.write(f"{StepProgress(name, what, done, total).line}\n")
    sys.stdout.flush()
