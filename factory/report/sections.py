"""Chapters of the page about all heads: who they are, how they came out, what they took, what failed, credits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from factory.dataset.samples import DISTANCE_EDGES_MM
from factory.dataset.store import Store
from factory.production.existing import QUARANTINE
from factory.report import charts
from factory.report.columns import Survey, Work
from factory.report.dataset_reader import Source
from generator.components.skin import SkinSpec
from generator.skin.colour import tone

LOG_SHOWN = 1500  # characters of what a stage said, its end
GIVEN_UP_SHOWN = 50

# Words and numbers of `generator.attributes`, in the order of the page: name -> title, and limits where they are
# fixed.
_WORDS = {
    "hair": "hair",
    "beard": "beard",
    "headwear": "headwear",
    "eyewear": "eyewear",
    "jewellery": "jewellery",
    "garment": "garment",
    "lighting": "lighting",
}
_NUMBERS: dict[str, tuple[str, tuple[float, float] | None]] = {
    "age": ("age, years", None),
    "masculine": ("build, 0 feminine to 1 masculine", (0, 1)),
    "skin_melanin": ("tone of the skin, 0 fair to 1 dark", (0, 1)),
    "hair_melanin": ("melanin of the hair, 0 white to 1 black", (0, 1)),
    "hair_grey": ("share of grey hair", (0, 1)),
    "hair_dyed": ("dyed hair, 0 natural to 1 all over", (0, 1)),
    "hair_mm": ("length of the hair where there is some, mm", None),
    "beard_mm": ("length of the beard where there is one, mm", None),
    "expression": ("strength of the expression, 0 neutral", None),
    "turn_deg": ("turn of the head, degrees", None),
}
_QUALITY: dict[str, tuple[str, float]] = {
    "skin_share": ("vertices that are skin, %", 100),
    "face_complete": ("face with scan within 1.5 mm, %", 100),
    "skin_distance_mm": ("distance of skin, median of a head, mm", 1),
    "error_mm": ("error where images show skin, median, mm", 1),
    "vertices": ("vertices of a scan", 1),
}


@dataclass(frozen=True)
class Chart:
    """A picture and what it shows."""

    picture: bytes
    caption: str


def look_charts(survey: Survey) -> Iterator[Chart]:
    """Distributions over all heads of what they look like."""
    for name, (label, limits) in _NUMBERS.items():
        if values := survey.numbers.get(name):
            colour = skin_colour if name == "skin_melanin" else None
            yield Chart(charts.histogram(values, label, limits, colour), label)
    for name, title in _WORDS.items():
        if counts := survey.words.get(name):
            yield Chart(charts.bars(counts, title), title)


def quality_charts(survey: Survey) -> Iterator[Chart]:
    """Distributions over all heads of how their scans came out."""
    for name, (label, scale) in _QUALITY.items():
        if values := survey.numbers.get(name):
            yield Chart(charts.histogram([scale * value for value in values], label), label)


def distance_chart(survey: Survey, thresholds_mm: set[float]) -> Chart | None:
    """Distances of all vertices of all heads; None where the heads don't tell."""
    if not survey.distance_counts.sum():
        return None
    picture = charts.distances(survey.distance_counts, DISTANCE_EDGES_MM, sorted(thresholds_mm))
    return Chart(picture, "distances of all vertices to the true surface")


def skin_colour(melanin: float) -> tuple[float, ...]:
    """sRGB 0 to 1 of the generator's skin of this tone."""
    linear = np.clip(tone(SkinSpec(melanin=float(np.clip(melanin, 0, 1)))), 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return tuple(float(value) for value in encoded)


def time_chart(work: Work) -> Chart | None:
    """How long the stages took; None where no events tell."""
    if not work.seconds:
        return None
    times = {stage: list(by_head.values()) for stage, by_head in work.seconds.items()}
    return Chart(charts.stage_times(times), "seconds that the stages took, over all heads")


def stage_table(work: Work) -> list[dict[str, Any]]:
    """A row per stage: heads, seconds and memory."""
    rows = []
    for stage, by_head in work.seconds.items():
        seconds = np.array(list(by_head.values()))
        peaks = list(work.peak_gib.get(stage, {}).values())
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


def step_table(work: Work) -> list[tuple[str, str, float]]:
    """Stage, step and seconds a head of the steps that stages tell, with what is left for starting and ending."""
    rows = []
    for stage, steps in work.steps.items():
        rows += [(stage, step, seconds / steps.heads) for step, seconds in steps.times.items()]
        rest = steps.seconds - sum(steps.times.values())
        rows.append((stage, "the rest: starting, reading, writing", max(rest / steps.heads, 0.0)))
    return rows


@dataclass
class Failures:
    """Attributes:
    attempts: rows of stage, kind and how often, of all failed attempts.
    given_up: heads in quarantine: id, verdict, and the end (`log`) of what the last attempt said.
    omitted: heads in quarantine beyond those.
    """

    attempts: list[tuple[str, str, int]] = field(default_factory=list)
    given_up: list[dict[str, str]] = field(default_factory=list)
    omitted: int = 0


def read_failures(store: Store, work: Work) -> Failures:
    """What failed: attempts from the events, heads that were given up from the evidence kept of them."""
    names = sorted(name for name in store.sizes(QUARANTINE) if name.endswith(".json"))
    found = Failures([(*key, number) for key, number in work.failures.most_common()])
    found.omitted = max(0, len(names) - GIVEN_UP_SHOWN)
    for name in names[:GIVEN_UP_SHOWN]:
        head = name.removesuffix(".json")
        try:
            evidence = json.loads(store.read(f"{QUARANTINE}/{name}"))
            last = (evidence["attempts"] or [{}])[-1]
            verdict, said = str(evidence["verdict"]), str(last.get("log", ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            verdict, said = "its evidence can't be read", ""
        found.given_up.append({"id": head, "verdict": verdict, "log": said[-LOG_SHOWN:]})
    return found


def read_credits(source: Source, survey: Survey) -> list[dict[str, Any]]:
    """Every asset that is shown, with its author and licence, as a head that shows it records them."""
    rows = []
    for name in sorted(survey.assets):
        shown = source.info(survey.asset_places[name]).get("assets", [])
        credit: dict[str, Any] = next((asset for asset in shown if asset.get("id") == name), {})
        rows.append(
            {
                "id": name,
                "heads": survey.assets[name],
                **{key: credit.get(key) or "-" for key in ("kind", "licence", "author", "source")},
            }
        )
    return rows
