"""What all heads of a data set look like, how they came out and what they took: columns of words and numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.nested import at, number_at
from factory.dataset.archive import Entry
from factory.dataset.samples import DISTANCE_EDGES_MM
from factory.dataset.statistics import Statistics
from factory.report.dataset_reader import Place

# Numbers of a head in its facts: name -> where they stand.
_MEASURED: dict[str, tuple[str, ...]] = {
    "vertices": ("vertices",),
    "skin_share": ("skin_share",),
    "skin_distance_mm": ("skin_distance_mm_median",),
    "error_mm": ("quality", "accuracy", "skin_pixels", "median_mm"),
    "face_complete": ("quality", "completeness", "face_mask_clear", "within_1_5_mm"),
}


@dataclass
class Survey:
    """Attributes:
    statistics: what `dataset.json` says of a whole data set, of the heads that are there.
    places: of all heads, in order.
    numbers: name -> a number for each head that has it.
    words: name -> word -> heads.
    distance_counts: (B,) vertices in each bin of `DISTANCE_EDGES_MM`, last those beyond; zeros where no head tells.
    assets: id -> heads that show it.
    asset_places: id -> a head that shows it.
    """

    statistics: Statistics = field(default_factory=Statistics)
    places: list[Place] = field(default_factory=list)
    numbers: dict[str, list[float]] = field(default_factory=dict)
    words: dict[str, Counter[str]] = field(default_factory=dict)
    distance_counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(DISTANCE_EDGES_MM), np.int64))
    assets: Counter[str] = field(default_factory=Counter)
    asset_places: dict[str, Place] = field(default_factory=dict)

    def add(self, place: Place, entry: Entry) -> None:
        """Count a head."""
        facts = entry.facts
        self.statistics.add(facts)
        self.places.append(place)
        for name, path in _MEASURED.items():
            value = number_at(facts, *path)
            if value is not None:
                self.numbers.setdefault(name, []).append(value)
        self._add_look(facts.get("look") or {})
        counts = facts.get("distance_counts")
        if counts is not None and len(counts) == len(self.distance_counts):
            self.distance_counts += np.asarray(counts)
        for asset in facts.get("assets", ()):
            self.assets[asset] += 1
            self.asset_places.setdefault(asset, place)

    def _add_look(self, look: Mapping[str, Any]) -> None:
        for name, value in look.items():
            if name in ("hair_mm", "beard_mm") and look.get(name.removesuffix("_mm")) == "none":
                continue  # drawn, and not worn
            if isinstance(value, str):
                self.words.setdefault(name, Counter())[value] += 1
            else:
                self.numbers.setdefault(name, []).append(float(value))


@dataclass
class Steps:
    """Attributes:
    heads: that tell.
    seconds: of their whole stages, together.
    times: step -> seconds, together.
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
class Work:
    """What the events of a data set tell.

    Attributes:
        seconds: stage -> seconds of each head, the last time that the stage ran for it.
        peak_gib: stage -> most memory of each head.
        steps: stage -> what its steps took, of stages that tell.
        failures: (stage, kind) -> failed attempts.
    """

    seconds: dict[str, dict[str, float]] = field(default_factory=dict)
    peak_gib: dict[str, dict[str, float]] = field(default_factory=dict)
    steps: dict[str, Steps] = field(default_factory=dict)
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)


def read_work(events: Iterable[Mapping[str, Any]]) -> Work:
    """Add up the events of a log. What a stage told twice, as one that another run reused, counts once."""
    work = Work()
    steps: dict[tuple[str, str], Mapping[str, Any]] = {}
    for event in events:
        what, head, stage = event.get("event"), str(event.get("id")), str(event.get("stage"))
        if what == "stage":
            seconds, peak = number_at(event, "seconds"), number_at(event, "peak_gib")
            if seconds is not None:
                work.seconds.setdefault(stage, {})[head] = seconds
                steps[stage, head] = at(event, "times") or {}
            if peak is not None:
                work.peak_gib.setdefault(stage, {})[head] = peak
        elif what == "attempt failed":
            work.failures[stage, str(event.get("kind"))] += 1
    for (stage, head), times in steps.items():
        if times:
            work.steps.setdefault(stage, Steps()).add(work.seconds[stage][head], times)
    return work
