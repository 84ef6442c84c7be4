"""SIGTERM ends a run in order, as Ctrl-C does: schedulers of clusters send it before they kill."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class StopRequested(KeyboardInterrupt):
    """The run was asked to end."""


@contextmanager
def stop_on_sigterm() -> Iterator[None]:
    """While it lasts, SIGTERM raises `StopRequested`."""

    def stop(number: int, frame: object) -> None:
        raise StopRequested

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
