"""Standard output inside Blender: lines about progress go there, and what Blender writes goes nowhere."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator

from capture.runtime.progress import StepProgress, StepTimes

# Called with what to say about progress.
Report = Callable[[StepProgress | StepTimes], None]


@contextlib.contextmanager
def progress_lines() -> Iterator[Report]:
    """A callback that writes lines to standard output, which nothing else reaches within the block."""
    sys.stdout.flush()
    real = os.dup(1)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.close(silent)
    try:
        yield lambda said: _write(real, said.line)
    finally:
        sys.stdout.flush()
        os.dup2(real, 1)
        os.close(real)


def _write(stream: int, line: str) -> None:
    os.write(stream, f"{line}\n".encode())
