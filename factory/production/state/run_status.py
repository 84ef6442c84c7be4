"""The state of a production run, and its words for people."""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from factory.console import format_duration
from factory.production.settings.resources import HEAD_TASKS
from factory.stages.failures import Failure

_RECENT = 64  # finished heads that the rate is computed from
_NAMES_SHOWN = 4  # of the heads in a stage

_REPLACED = {  # kind of failure -> heads that were replaced for it
    Failure.QUALITY: "{} rejected by quality gates",
    Failure.DATA: "{} rejected by a stage",
    Failure.CRASH: "{} crashed",
    Failure.TIMEOUT: "{} timed out",
    Failure.MEMORY: "{} ran out of memory",
    Failure.DISK: "{} met a full disk",
}


@dataclass
class RunStatus:
    """The state of a run.

    Attributes:
        heads: of the data set.
        done: heads that are finished and stored.
        replaced: kind of failure -> seeds that were replaced for it, in this run.
        rejected: of these, that would fail again.
        failed_attempts: failed attempts at stages, those that were repeated included.
        paused: the latest reason why stages wait; empty where none does.
        started: when the run began, seconds since 1970.
    """

    heads: int
    done: int = 0
    replaced: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    failed_attempts: int = 0
    paused: str = ""
    started: float = field(default_factory=time.time)
    _stage_of: dict[str, str] = field(default_factory=dict)  # head -> the stage that it is in
    _finished: list[float] = field(default_factory=list)  # times of the latest finished heads

    def add(self, heads: int) -> None:
        """Count heads that were finished, or (negative) whose archives are lost."""
        self.done += heads
        if heads > 0:
            self._finished = [*self._finished, *([time.time()] * heads)][-_RECENT:]

    def add_failure(self, kind: str, rejected: bool) -> None:
        """Count a seed that was replaced."""
        self.replaced[kind] += 1
        self.rejected += rejected

    def update(self, event: str, values: Mapping[str, Any]) -> None:
        """Take in an event of a task."""
        name = values.get("id", "")
        if event == "started":
            self._stage_of[name] = values["stage"]
        elif event in ("stage", "attempt failed"):
            self._stage_of.pop(name, None)
            self.paused = ""
            self.failed_attempts += event == "attempt failed"
        elif event == "paused":
            self.paused = str(values.get("reason", ""))

    @property
    def running(self) -> dict[str, list[str]]:
        """Stage -> names of the heads that are in it, of stages that have some."""
        heads: dict[str, list[str]] = {stage: [] for stage in HEAD_TASKS}
        for name, stage in self._stage_of.items():
            heads.setdefault(stage, []).append(name)
        return {stage: names for stage, names in heads.items() if names}

    @property
    def heads_per_hour(self) -> float | None:
        """The rate of late; None before two heads are finished."""
        if len(self._finished) < 2:
            return None
        begun = self.started if len(self._finished) < _RECENT else self._finished[0]
        return 3600 * len(self._finished) / max(time.time() - begun, 1e-3)

    @property
    def seconds_left(self) -> float | None:
        """Until all heads are finished, at this rate."""
        return None if not self.heads_per_hour else 3600 * (self.heads - self.done) / self.heads_per_hour

    def to_json(self) -> dict[str, Any]:
        """The content of `progress.json`."""
        running = self.running
        return {
            "time": round(time.time(), 1),
            "started": round(self.started, 1),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "heads": self.heads,
            "done": self.done,
            "running": {stage: len(names) for stage, names in running.items()},
            "running_heads": {stage: names[:_NAMES_SHOWN] for stage, names in running.items()},
            "failures": dict(self.replaced),
            "rejected": self.rejected,
            "attempts_failed": self.failed_attempts,
            "heads_per_hour": None if self.heads_per_hour is None else round(self.heads_per_hour, 2),
            "seconds_left": None if self.seconds_left is None else round(self.seconds_left),
            "paused": self.paused,
        }


def describe_run(status: Mapping[str, Any]) -> Iterator[str]:
    """The state of a run, as `RunStatus.to_json` gives it, in phrases."""
    yield f"{status['done']} of {status['heads']} heads finished"
    if status["heads_per_hour"]:
        left = f", about {format_duration(status['seconds_left'])} left" if status["seconds_left"] else ""
        yield f"{status['heads_per_hour']:.1f} heads per hour{left}"
    elif status["done"] < status["heads"]:
        yield "the time left is known after two heads"
    if status["running"]:
        yield "running: " + ", ".join(
            _describe_stage(stage, count, status.get("running_heads", {}).get(stage, ()))
            for stage, count in status["running"].items()
        )
    if status["failures"]:
        yield "replaced by other seeds: " + ", ".join(
            _REPLACED.get(kind, "{} " + kind).format(number) for kind, number in status["failures"].items()
        )
    if number := status["attempts_failed"]:
        yield f"{number} failed {'attempt' if number == 1 else 'attempts'} at a stage"
    if status["paused"]:
        yield f"PAUSED: {status['paused']}"


def _describe_stage(stage: str, count: int, names: tuple[str, ...] | list[str]) -> str:
    if not names:
        return f"{stage} {count}"
    return f"{stage} {', '.join(names)}" + (f" and {count - len(names)} more" if count > len(names) else "")
