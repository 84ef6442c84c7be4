"""Limits on the time and memory of a process and of all that it starts."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from types import TracebackType

import psutil

from capture import InputError
from factory.stages.failures import Failure

PERIOD_S = 0.5  # between two looks
DYING_S = 10.0  # longest wait for killed processes; one that the kernel holds in a read goes later


@dataclass(frozen=True)
class Limits:
    """Limits of a stage's time and memory; None is no limit.

    Attributes:
        seconds: of wall-clock time.
        gib: of memory, its own and that of the processes that it started, summed.
    """

    seconds: float | None = None
    gib: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("time", self.seconds), ("memory", self.gib)):
            if value is not None and not value > 0:
                raise InputError(f"{name} limit {value}: it must be positive; leave it out for none")


UNLIMITED = Limits()


class Watchdog:
    """While its block runs: kills a process that goes beyond its limits, with all that it has started.

    Attributes:
        failure: why it was killed; None where it wasn't.
        reason: the same in words.
    """

    def __init__(self, pid: int, limits: Limits) -> None:
        self.failure: Failure | None = None
        self.reason = ""
        self._pid, self._limits = pid, limits
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"watchdog-{pid}", daemon=True)

    def __enter__(self) -> Watchdog:
        if self._limits != UNLIMITED:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        started = time.monotonic()
        while not self._over.wait(PERIOD_S):
            seconds, gib = self._limits.seconds, self._limits.gib
            if seconds is not None and time.monotonic() - started > seconds:
                self.failure, self.reason = Failure.TIMEOUT, f"took longer than {seconds:g} s"
            elif gib is not None and (held := memory_gib(self._pid)) > gib:
                self.failure, self.reason = Failure.MEMORY, f"held {held:.1f} GiB of {gib:g}"
            if self.failure is not None:
                kill_tree(self._pid)
                return


def memory_gib(pid: int) -> float:
    """Memory that a process and those that it started hold now; 0 where it has ended."""
    return sum((_resident(process) for process in _tree(pid)), 0.0) / 2**30


def kill_tree(pid: int) -> None:
    """Kill a process and all that it has started, and wait until they run no more.

    Those that have ended already don't matter. A signal takes effect a moment after it is sent: who starts the next
    attempt at once would find the memory and the files of this one still held.
    """
    tree = _tree(pid)
    for process in tree:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    until = time.monotonic() + DYING_S
    while any(_runs(process) for process in tree) and time.monotonic() < until:
        time.sleep(0.01)


def _tree(pid: int) -> list[psutil.Process]:
    """A process, which comes first, and all below it."""
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _runs(process: psutil.Process) -> bool:
    """Whether a process still executes; a zombie, which nobody has yet asked for its exit code, doesn't."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
