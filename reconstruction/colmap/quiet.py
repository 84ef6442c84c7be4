"""Warnings of COLMAP's Poisson reconstruction, which go around every log to the process's own standard error."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_BEGIN = b"[WARNING]"  # a line, and indented ones behind it
_PARTIAL = 512  # bytes: what is longer and has no end is no line of a warning


@contextmanager
def without_poisson_warnings() -> Iterator[None]:
    """Leave the library's warnings out of standard error; whatever else is written there meanwhile passes.

    Its octree says where it averaged over several crossings of an edge. That is how it works in noise.
    """
    real = os.dup(2)
    reading, writing = os.pipe()
    os.dup2(writing, 2)
    os.close(writing)
    passing = threading.Thread(target=_pass_on, args=(reading, real), daemon=True)
    passing.start()
    try:
        yield
    finally:
        os.dup2(real, 2)  # closes the pipe's last end for writing
        passing.join()
        os.close(reading)
        os.close(real)


def _pass_on(reading: int, real: int) -> None:
    """Copy what comes until the other end is closed, less the warnings."""
    rest, dropping = b"", False
    while chunk := os.read(reading, 65536):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            dropping = line.startswith(_BEGIN) or (dropping and line.startswith(b"  "))
            if not dropping:
                os.write(real, line + b"\n")
        undecided = _BEGIN.startswith(rest[: len(_BEGIN)]) or (dropping and rest.startswith(b" "))
        if rest and (not undecided or len(rest) > _PARTIAL):  # a progress bar has no end of line
            os.write(real, rest)
            rest = b""
    if rest and not rest.startswith(_BEGIN):
        os.write(real, rest)
