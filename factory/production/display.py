"""What the user sees of a production run, and what others can look up about it."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from capture import InputError
from factory.dataset.store import Store
from factory.production.resources import STAGES

log = logging.getLogger(__name__)

HEARTBEAT = "progress.json"
HEARTBEAT_S = 10.0
_PLAIN_S = 30.0
_RECENT = 64  # finished heads that the rate is of


@dataclass
class Status:
    """The state of a run.

    Attributes:
        heads: wanted.
        done: heads that are safe.
        found: of these, that were there when the run began.
        running: stage -> heads that are in it.
        failures: kind -> heads given up.
        rejected: of these, that would fail again.
        attempts: failed attempts, those that were repeated included.
        paused: why stages wait, the latest reason; empty where none does.
    """

    heads: int
    done: int = 0
    found: int = 0
    running: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    attempts: int = 0
    paused: str = ""
    started: float = field(default_factory=time.time)
    _stage_of: dict[str, str] = field(default_factory=dict)
    _finished: list[float] = field(default_factory=list)

    def add(self, heads: int) -> None:
        """Heads became safe, or are lost."""
        self.done += heads
        if heads > 0:
            self._finished = [*self._finished, *([time.time()] * heads)][-_RECENT:]

    def fail(self, kind: str, rejected: bool) -> None:
        """A head was given up."""
        self.failures[kind] += 1
        self.rejected += rejected

    def hear(self, event: str, told: Mapping[str, Any]) -> None:
        """A stage told something."""
        name = told.get("id", "")
        if event == "started":
            self._stage_of[name] = told["stage"]
        elif event in ("stage", "attempt failed"):
            self._stage_of.pop(name, None)
            self.paused = ""
            self.attempts += event == "attempt failed"
        elif event == "paused":
            self.paused = str(told.get("reason", ""))
        self.running = Counter(self._stage_of.values())

    @property
    def rate(self) -> float | None:
        """Heads an hour, of late; None before there are two."""
        if len(self._finished) < 2:
            return None
        begun = self.started if len(self._finished) < _RECENT else self._finished[0]
        return 3600 * len(self._finished) / max(time.time() - begun, 1e-3)

    @property
    def seconds_left(self) -> float | None:
        """Until all is done, at this rate."""
        return None if not self.rate else 3600 * (self.heads - self.done) / self.rate

    def to_json(self) -> dict[str, Any]:
        """What `progress.json` holds."""
        return {
            "time": round(time.time(), 1),
            "started": round(self.started, 1),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "heads": self.heads,
            "done": self.done,
            "running": dict(self.running),
            "failures": dict(self.failures),
            "rejected": self.rejected,
            "attempts_failed": self.attempts,
            "heads_per_hour": None if self.rate is None else round(self.rate, 2),
            "seconds_left": None if self.seconds_left is None else round(self.seconds_left),
            "paused": self.paused,
        }


class View:
    """Shows a run: live on a terminal, in plain lines elsewhere; leaves a sign of life in the store.

    Use it as a context.
    """

    def __init__(self, store: Store, heads: int = 0) -> None:
        self._store = store
        self._latest = Status(heads).to_json()
        self._ended = threading.Event()
        self._beating = threading.Thread(target=self._beat, name="sign of life", daemon=True)
        self._console = Console(stderr=True)
        self._live = Live(console=self._console, refresh_per_second=2, transient=False)
        self._said = 0.0
        self._signed = float("-inf")

    def __enter__(self) -> View:
        self._sign()
        self._beating.start()
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._console.is_terminal:
            self._live.stop()
        self._ended.set()
        self._beating.join()
        try:
            self._store.remove(HEARTBEAT)
        except InputError as gone:  # what ended the run is the error to tell
            log.warning("%s", gone)

    def show(self, status: Status, final: bool = False) -> None:
        """Bring everything up to date, each as often as it makes sense."""
        now = time.monotonic()
        if self._console.is_terminal:
            self._live.update(picture(status))
        elif final or now - self._said > _PLAIN_S:
            self._said = now
            log.info("%s", line(status))
        self._latest = status.to_json()
        if now - self._signed > HEARTBEAT_S:
            self._signed = now
            self._sign()

    def _beat(self) -> None:
        """Give signs of life, however long the run looks at something else."""
        while not self._ended.wait(HEARTBEAT_S):
            self._sign()

    def _sign(self) -> None:
        with suppress(InputError, OSError):  # the disk is full, which those say who need it more
            self._store.write(HEARTBEAT, json.dumps({**self._latest, "time": time.time()}).encode())


def line(status: Status) -> str:
    """The state in one line."""
    words = [f"{status.done} of {status.heads} heads"]
    stages = ", ".join(f"{stage} {status.running[stage]}" for stage in STAGES if status.running[stage])
    if stages:
        words.append(f"in work: {stages}")
    if status.rate is not None and status.seconds_left is not None:
        words.append(f"{status.rate:.1f} an hour, {duration(status.seconds_left)} left")
    if status.failures:
        words.append("given up: " + ", ".join(f"{number} {kind}" for kind, number in status.failures.items()))
    if status.attempts:
        words.append(f"{status.attempts} failed attempts")
    if status.paused:
        words.append(f"PAUSED: {status.paused}")
    return "; ".join(words)


def picture(status: Status) -> Group:
    """The state as a few lines for a terminal."""
    bar, stages = Table.grid(), Table.grid(padding=(0, 2))
    bar.add_row(ProgressBar(total=status.heads, completed=status.done, width=60))
    stages.add_row(*(f"{stage} [bold]{status.running[stage]}[/bold]" for stage in STAGES))
    words = line(replace(status, running=Counter(), paused=""))
    parts: list[RenderableType] = [bar, Text(words), stages]
    if status.paused:
        parts.append(Text(status.paused, style="bold red"))
    return Group(*parts)


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"
