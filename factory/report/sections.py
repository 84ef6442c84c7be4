"""Sections of the page about all heads: attributes, quality, time and memory, failures, credits of assets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from factory.dataset.samples import DISTANCE_EDGES_MM
from factory.dataset.store import Store
from factory.production.state.quarantine import QUARANTINE
from factory.production.tasks.head_errors import describe_failure
from factory.report import charts
from factory.report.dataset_reader import DatasetReader
from factory.report.head_statistics import HeadStatistics
from factory.report.usage import StageUsage
from generator.components.skin import SkinSpec
from generator.skin.colour import tone

LOG_SHOWN = 1500  # characters of a stage's output, its end
REPLACED_SHOWN = 50

# Attributes of `generator.attributes`, in the order of the page: name -> title, and limits where they are fixed.
_CATEGORIES = {
    "hair": "hair",
    "beard": "beard",
    "headwear": "headwear",
    "eyewear": "eyewear",
    "jewellery": "jewellery",
    "garment": "garment",
    "lighting": "lighting",
    "photo": "photograph",
}
_NUMBERS: dict[str, tuple[str, tuple[float, float] | None]] = {
    "age": ("age, years", None),
    "masculine": ("feminine (0) to masculine (1)", (0, 1)),
    "skin_melanin": ("skin tone, 0 fair to 1 dark", (0, 1)),
    "hair_melanin": ("hair colour (melanin), 0 white to 1 black", (0, 1)),
    "hair_grey": ("grey hair, share of the strands", (0, 1)),
    "hair_dyed": ("dyed hair, 0 natural to 1 dyed", (0, 1)),
    "hair_mm": ("hair length, of heads with hair, mm", None),
    "beard_mm": ("beard length, of heads with a beard, mm", None),
    "expression": ("expression, largest coefficient (0 is neutral)", None),
    "turn_deg": ("turn of the head on the neck, degrees", None),
}
_QUALITY: dict[str, tuple[str, float]] = {
    "skin_share": ("skin vertices, % of a scan", 100),
    "face_complete": ("face with scan within 1.5 mm, %", 100),
    "skin_distance_mm": ("distance of skin vertices, median, mm", 1),
    "error_mm": ("error where images show skin, median, mm", 1),
    "vertices": ("vertices of a scan", 1),
}


@dataclass(frozen=True)
class Chart:
    """A picture and what it shows."""

    picture: bytes
    caption: str


def attribute_charts(statistics: HeadStatistics) -> Iterator[Chart]:
    """Distributions of the heads' attributes."""
    for name, (label, limits) in _NUMBERS.items():
        if values := statistics.numbers.get(name):
            colour = skin_colour if name == "skin_melanin" else None
            yield Chart(charts.histogram(values, label, limits, colour), label)
    for name, title in _CATEGORIES.items():
        if counts := statistics.categories.get(name):
            yield Chart(charts.bars(counts, title), title)


def quality_charts(statistics: HeadStatistics) -> Iterator[Chart]:
    """Distributions of the quality of the heads' scans."""
    for name, (label, scale) in _QUALITY.items():
        if values := statistics.numbers.get(name):
            yield Chart(charts.histogram([scale * value for value in values], label), label)


def distance_chart(statistics: HeadStatistics, thresholds_mm: set[float]) -> Chart | None:
    """Distances of all vertices of all heads; None where the heads don't say."""
    if not statistics.distance_counts.sum():
        return None
    picture = charts.distances(statistics.distance_counts, DISTANCE_EDGES_MM, sorted(thresholds_mm))
    return Chart(picture, "distances of all vertices to the true surface")


def skin_colour(melanin: float) -> tuple[float, ...]:
    """sRGB 0 to 1 of the generator's skin of this tone."""
    linear = np.clip(tone(SkinSpec(melanin=float(np.clip(melanin, 0, 1)))), 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return tuple(float(value) for value in encoded)


def time_chart(usage: StageUsage) -> Chart | None:
    """Durations of the stages; None where there are no events."""
    if not usage.seconds:
        return None
    times = {stage: list(by_head.values()) for stage, by_head in usage.seconds.items()}
    return Chart(charts.stage_times(times), "seconds of each stage, over all heads")


def stage_table(usage: StageUsage) -> list[dict[str, Any]]:
    """A row per stage: heads, seconds and memory."""
    rows = []
    for stage, by_head in usage.seconds.items():
        seconds = np.array(list(by_head.values()))
        peaks = list(usage.peak_gib.get(stage, {}).values())
        rows.append(
            {
                "stage": stage,
                "heads": len(seconds),
                "mean": float(seconds.mean()),
                "median": float(np.median(seconds)),
                "p95": float(np.percentile(seconds, 95)),
                "peak": max(peaks) if peaks else None,
            }
        )
    return rows


def step_table(usage: StageUsage) -> list[tuple[str, str, float]]:
    """Stage, step and mean seconds of a head, with what is left of the stage for starting and ending."""
    rows = []
    for stage, steps in usage.steps.items():
        rows += [(stage, step, seconds / steps.heads) for step, seconds in steps.times.items()]
        rest = steps.seconds - sum(steps.times.values())
        rows.append((stage, "the rest: starting, reading, writing", max(rest / steps.heads, 0.0)))
    return rows


@dataclass
class Failures:
    """Failed attempts and replaced seeds.

    Attributes:
        attempts: rows of stage, kind of failure and how often.
        replaced: seeds in quarantine: id, verdict, and the end (`log`) of the last attempt's output.
        omitted: number of seeds in quarantine beyond those.
    """

    attempts: list[tuple[str, str, int]] = field(default_factory=list)
    replaced: list[dict[str, str]] = field(default_factory=list)
    omitted: int = 0


def read_failures(store: Store, usage: StageUsage) -> Failures:
    """Failed attempts from the events, replaced seeds from their records in quarantine."""
    names = sorted(name for name in store.sizes(QUARANTINE) if name.endswith(".json"))
    attempts = usage.failed_attempts.most_common()
    failures = Failures([(stage, describe_failure(kind), number) for (stage, kind), number in attempts])
    failures.omitted = max(0, len(names) - REPLACED_SHOWN)
    for name in names[:REPLACED_SHOWN]:
        head = name.removesuffix(".json")
        try:
            record = json.loads(store.read(f"{QUARANTINE}/{name}"))
            last = (record["attempts"] or [{}])[-1]
            verdict, output = str(record["verdict"]), str(last.get("log", ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            verdict, output = "its record can't be read", ""
        failures.replaced.append({"id": head, "verdict": verdict, "log": output[-LOG_SHOWN:]})
    return failures


def read_credits(reader: DatasetReader, statistics: HeadStatistics) -> list[dict[str, Any]]:
    """Every asset that is shown, with its author and licence, as a head that shows it records them."""
    rows = []
    for name in sorted(statistics.assets):
        shown = reader.read_info(statistics.asset_locations[name]).get("assets", [])
        credit: dict[str, Any] = next((asset for asset in shown if asset.get("id") == name), {})
        rows.append(
            {
                "id": name,
                "heads": statistics.assets[name],
                **{key: credit.get(key) or "-" for key in ("kind", "licence", "author", "source")},
            }
        )
    return rows
