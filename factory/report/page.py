"""The report: one HTML file about a data set, and predictions of a model, that needs no other file."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from capture import write_bytes
from factory.console import track
from factory.dataset.events import read_events
from factory.report import charts, sections
from factory.report.dataset_reader import DatasetReader, HeadLocation
from factory.report.head_statistics import HeadStatistics
from factory.report.sample_sections import (
    DEFAULT_THRESHOLD_MM,
    face_thumbnail,
    head_section,
    prediction_section,
    threshold_of,
)
from factory.report.settings import ReportSettings
from factory.report.usage import sum_usage
from scans.pictures.colours import OTHER_COLOUR, SKIN_COLOUR
from scans.pictures.encoding import png_url

PAGE = "report.html"
TURNING = 2  # heads, and predictions, with a view to turn around: some megabytes each


@dataclass(frozen=True)
class ReportExtras:
    """Content of a report beyond the data set.

    Attributes:
        title: of the page.
        predictions: captures segmented by a trained model (`prediction/` in the folder).
        metrics: CSV file of the training run.
        timings: name -> seconds of further steps.
    """

    title: str = ""
    predictions: Sequence[Path] = ()
    metrics: Path | None = None
    timings: dict[str, float] = field(default_factory=dict)


def write_report(
    dataset: str | Path,
    out: Path | None = None,
    settings: ReportSettings | None = None,
    extras: ReportExtras | None = None,
) -> str:
    """Write the page about a data set, complete or still being made; returns its path or URL.

    Args:
        dataset: folder or URL.
        out: file; by default `report.html` in the data set.
        settings: number of heads.
        extras: further content.

    Raises:
        InputError: the data set is missing or damaged.
    """
    reader = DatasetReader(str(dataset))
    page = _render(reader, settings or ReportSettings(), extras or ReportExtras()).encode()
    if out is None:
        reader.store.write(PAGE, page)
        return reader.store.url_of(PAGE)
    write_bytes(Path(out), page)
    return str(out)


def _render(reader: DatasetReader, settings: ReportSettings, extras: ReportExtras) -> str:
    statistics = HeadStatistics()
    for location, entry in reader.entries():
        statistics.add(location, entry)
    usage = sum_usage(read_events(reader.store))
    shown = _evenly_spaced(statistics.locations, settings.heads)
    faces = _evenly_spaced(statistics.locations, settings.faces) if len(statistics.locations) > len(shown) else []
    heads, predictions = list[dict[str, Any]](), list[dict[str, Any]]()
    thumbnails, thresholds = [], set[float]()
    with track("report", len(shown) + len(faces) + len(extras.predictions)) as progress:
        for location in shown:
            head = reader.read_head(location)
            heads.append(head_section(head, location.split, turning=len(heads) < TURNING))
            thresholds.add(threshold_of(head))
            progress.advance(1, head.id)
        for location in faces:
            thumbnails.append(face_thumbnail(reader, location))
            progress.advance(1, "faces")
        for folder in extras.predictions:
            predictions.append(prediction_section(folder, turning=len(predictions) < TURNING))
            progress.advance(1, folder.name)
    return _template().render(
        title=extras.title or f"Data set {reader.store.url.rpartition('/')[2]}",
        subtitle="Made by pixels2points",
        overview=_overview(reader, statistics),
        heads=heads,
        faces=thumbnails,
        total=len(statistics.locations),
        predictions=predictions,
        key={"skin": _css(SKIN_COLOUR), "other": _css(OTHER_COLOUR)},
        curve=png_url(charts.learning_curve(read_metrics(extras.metrics))) if extras.metrics else None,
        attributes=[_chart(chart) for chart in sections.attribute_charts(statistics)],
        quality=[_chart(chart) for chart in sections.quality_charts(statistics)],
        distances=_chart(sections.distance_chart(statistics, thresholds or {DEFAULT_THRESHOLD_MM})),
        failures=sections.read_failures(reader.store, usage),
        times=_chart(sections.time_chart(usage)),
        stages=sections.stage_table(usage),
        steps=sections.step_table(usage),
        more_timings=list(extras.timings.items()),
        credits=sections.read_credits(reader, statistics),
    )


def read_metrics(path: Path) -> dict[str, list[tuple[int, float]]]:
    """Metrics of a training run from Lightning's CSV: name -> (epoch, value); several of one epoch are averaged."""
    metrics: dict[str, dict[int, list[float]]] = {}
    with Path(path).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for name, value in row.items():
                if name not in ("epoch", "step") and value:
                    metrics.setdefault(name, {}).setdefault(int(row["epoch"]), []).append(float(value))
    return {
        name: [(epoch, float(np.mean(values))) for epoch, values in sorted(by_epoch.items())]
        for name, by_epoch in metrics.items()
        if len(by_epoch) > 1
    }


def _evenly_spaced(locations: Sequence[HeadLocation], count: int) -> list[HeadLocation]:
    """So many of them, from the first to the last."""
    if len(locations) <= count:
        return list(locations)
    return [locations[round(at)] for at in np.linspace(0, len(locations) - 1, count)]


def _overview(reader: DatasetReader, statistics: HeadStatistics) -> list[tuple[str, str]]:
    """Rows of the table at the top: names and values."""
    totals = statistics.totals.to_json()
    splits = Counter(location.split for location in statistics.locations)
    median = totals["skin_distance_mm_median"]
    rows = [
        ("heads", ", ".join(f"{count} {name}" for name, count in splits.items())),
        ("scan vertices", f"{totals['vertices']:,}"),
        ("skin vertices", f"{100 * totals['skin_share']:.1f} % of a scan, on average"),
        ("distance of skin vertices to the true surface", "none" if median is None else f"{median:.3f} mm (median)"),
    ]
    if reader.description is None:
        rows.insert(1, ("state", "not complete: the heads that are finished so far"))
    else:
        size = sum(shard["bytes"] for split in reader.description["splits"].values() for shard in split["shards"])
        rows.append(("size of all shards", f"{size / 1e6:.1f} MB"))
    versions = statistics.totals.versions.items()
    rows.append(("made with", ", ".join(f"{tool} {_join(version)}" for tool, version in versions)))
    return rows


def _join(version: str | Sequence[str]) -> str:
    return version if isinstance(version, str) else " and ".join(version)


def _chart(chart: sections.Chart | None) -> dict[str, str] | None:
    return None if chart is None else {"picture": png_url(chart.picture), "caption": chart.caption}


def _css(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("page.html")
