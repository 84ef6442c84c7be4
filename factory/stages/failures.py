"""Reasons for which a stage failed."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from enum import StrEnum
from errno import EDQUOT, ENOSPC

from capture import InputError, RefusedError


class Failure(StrEnum):
    """The kinds of failure: some are worth another attempt, some call for the user."""

    CRASH = "crash"
    TIMEOUT = "timeout"
    MEMORY = "out of memory"
    DISK = "disk full"
    SETUP = "wrong set-up"
    DATA = "bad data"
    QUALITY = "not good enough"


class StageError(Exception):
    """A stage's process died or failed for a reason that is not the user's. The message is one line.

    Attributes:
        kind: of the failure.
    """

    def __init__(self, message: str, kind: Failure = Failure.CRASH) -> None:
        super().__init__(message, kind)  # both: another process makes the exception anew from what is given here
        self.kind = kind

    def __str__(self) -> str:
        return str(self.args[0])


_NO_SPACE = tuple(os.strerror(number) for number in (ENOSPC, EDQUOT))
_NO_MEMORY = ("MemoryError", "std::bad_alloc", "Cannot allocate memory", "Unable to allocate", "CUDA out of memory")


def failure_of(code: int, said: Sequence[str]) -> Failure:
    """The kind of failure of a process that ended with this code (negative: a signal) and these last lines."""
    text = "\n".join(said)
    if any(words in text for words in _NO_SPACE):
        return Failure.DISK
    if code == -signal.SIGKILL or any(words in text for words in _NO_MEMORY):
        return Failure.MEMORY  # nobody but the kernel, short of memory, sends SIGKILL to a process of ours
    return {2: Failure.SETUP, 3: Failure.DATA}.get(code, Failure.CRASH)


def kind_of(error: BaseException) -> Failure:
    """The kind of failure that an exception tells of."""
    if isinstance(error, StageError):
        return error.kind
    if isinstance(error, OSError):
        return Failure.DISK if error.errno in (ENOSPC, EDQUOT) else Failure.CRASH
    if isinstance(error, MemoryError):
        return Failure.MEMORY
    if isinstance(error, InputError):
        return failure_of(3 if isinstance(error, RefusedError) else 2, [str(error)])
    return Failure.CRASH
