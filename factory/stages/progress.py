"""Progress of a stage that runs in a process of its own.

The child prints lines that start with `p2p-progress`; the parent turns them into its own bar. Run by hand, the same
stage shows a bar itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from factory.console import Track, track

# Called with (what is being done, steps done, steps in all).
Report = Callable[[str, int, int], None]


@contextmanager
def show_progress(name: str) -> Iterator[Report]:
    """A callback that shows the steps of a stage on the capture `name`."""
    if os.environ.get("P2P_PROGRESS") == "lines":
        yield lambda what, done, total: _write_line(name, what, done, total)
        return
    with track(name, 0) as bar:
        yield as_report(bar)


def as_report(bar: Track) -> Report:
    """A callback that shows each kind of step on one bar, starting anew with every kind."""
    return lambda what, done, total: bar(done, what, total)


def _write_line(name: str, what: str, done: int, total: int) -> None:
    sys.stdout.write(f"p2p-progress {name} {what.replace(' ', '-')} {done}/{total}\n")
    sys.stdout.flush()
