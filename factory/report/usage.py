"""Time, memory and failed attempts of the stages, added up from the events of a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from capture.nested import at, number_at


@dataclass
class StepTimes:
    """Sums over the heads whose stage reported its steps.

    Attributes:
        heads: number of these heads.
        seconds: of the whole stage.
        times: step -> seconds.
    """

    heads: int = 0
    seconds: float = 0.0
    times: dict[str, float] = field(default_factory=dict)

    def add(self, seconds: float, times: Mapping[str, float]) -> None:
        """Count a head's stage."""
        self.heads += 1
        self.seconds += seconds
        for step, took in times.items():
            self.times[step] = self.times.get(step, 0.0) + float(took)


@dataclass
class StageUsage:
    """Time and memory that the stages took.

    Attributes:
        seconds: stage -> head -> seconds, of the last time that the stage ran for the head.
        peak_gib: stage -> head -> most memory.
        steps: stage -> sums over its heads, of stages that report their steps.
        failed_attempts: (stage, kind of failure) -> how often.
    """

    seconds: dict[str, dict[str, float]] = field(default_factory=dict)
    peak_gib: dict[str, dict[str, float]] = field(default_factory=dict)
    steps: dict[str, StepTimes] = field(default_factory=dict)
    failed_attempts: Counter[tuple[str, str]] = field(default_factory=Counter)


def sum_usage(events: Iterable[Mapping[str, Any]]) -> StageUsage:
    """Add up the events of a log. A stage that was reported twice, as one that another run reused, counts once."""
    usage = StageUsage()
    steps: dict[tuple[str, str], Mapping[str, Any]] = {}
    for event in events:
        name, head, stage = event.get("event"), str(event.get("id")), str(event.get("stage"))
        if name == "stage":
            seconds, peak = number_at(event, "seconds"), number_at(event, "peak_gib")
            if seconds is not None:
                usage.seconds.setdefault(stage, {})[head] = seconds
                steps[stage, head] = at(event, "times") or {}
            if peak is not None:
                usage.peak_gib.setdefault(stage, {})[head] = peak
        elif name == "attempt failed":
            usage.failed_attempts[stage, str(event.get("kind"))] += 1
    for (stage, head), times in steps.items():
        if times:
            usage.steps.setdefault(stage, StepTimes()).add(usage.seconds[stage][head], times)
    return usage
