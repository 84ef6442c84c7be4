"""Resources that a stage used: memory, and time by its steps."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Usage:
    """Attributes:
    peak_gib: most memory that a process of the stage has held.
    times: step -> seconds, of the stages that tell; what is missing to their whole time is the start of the program.
    """

    peak_gib: float = 0.0
    times: Mapping[str, float] = field(default_factory=dict)


def own_usage(times: Mapping[str, float] | None = None) -> Usage:
    """Resources that this process, or one that it has waited for, used so far."""
    used = max(peak_bytes(resource.getrusage(who)) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Usage(round(used / 2**30, 3), times or {})


def peak_bytes(used: resource.struct_rusage) -> int:
    """Most memory that a process has held, by the system's record, which counts bytes on macOS and KiB elsewhere."""
    return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


class StepWatch:
    """Passes progress on, and counts the time from the first word of a step to the first of the next."""

    def __init__(self, progress: Callable[[str, float], None]) -> None:
        self._progress = progress
        self._step, self._since = "", 0.0
        self._times: dict[str, float] = {}

    def __call__(self, step: str, share: float) -> None:
        if step != self._step:
            self._close()
            self._step = step
        self._progress(step, share)

    @property
    def times(self) -> dict[str, float]:
        """Step -> seconds until now."""
        self._close()
        return {step: round(seconds, 2) for step, seconds in self._times.items()}

    def _close(self) -> None:
        now = time.perf_counter()
        if self._step:
            self._times[self._step] = self._times.get(self._step, 0.0) + now - self._since
        self._since = now
