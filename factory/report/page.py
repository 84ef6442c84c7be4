"""A data set, and what a model says of unseen scans, as one HTML file without anything beside it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import numpy as np

from capture import InputError, write_bytes
from factory.console import track
from factory.dataset.events import read_events
from factory.report import charts, sections
from factory.report.columns import Survey, read_work
from factory.report.dataset_reader import Place, Source
from factory.report.sample_sections import (
    DEFAULT_THRESHOLD_MM,
    face,
    head_article,
    prediction_article,
    threshold_of,
)
from scans import pictures

PAGE = "report.html"


@dataclass(frozen=True)
class ReportSettings:
    """How much of a data set a report shows.

    Attributes:
        heads: with all views, the scan and its labels; evenly spaced over the data set.
        faces: of which a small front view is shown, likewise.
    """

    heads: int = 24
    faces: int = 240

    def __post_init__(self) -> None:
        if self.heads < 0 or self.faces < 0:
            raise InputError("a report shows 0 or more heads")


@dataclass(frozen=True)
class ReportExtras:
    """What a report shows beyond the data set.

    Attributes:
        title: of the page.
        predictions: captures segmented by a trained model (`prediction/` in the folder).
        metrics: CSV file of the training run.
        timings: further steps and their seconds.
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
    """Write the page about a data set, finished or in the making; returns where it is.

    Args:
        dataset: folder or URL.
        out: file; by default `report.html` in the data set.
        settings: how much is shown.
        extras: what is shown beyond the data set.

    Raises `InputError` where the data set is missing or damaged.
    """
    source = Source(str(dataset))
    page = _render(source, settings or ReportSettings(), extras or ReportExtras()).encode()
    if out is None:
        source.store.write(PAGE, page)
        return source.store.where(PAGE)
    write_bytes(Path(out), page)
    return str(out)


def _render(source: Source, settings: ReportSettings, extras: ReportExtras) -> str:
    survey = Survey()
    for place, entry in source.heads():
        survey.add(place, entry)
    work = read_work(read_events(source.store))
    shown, faces = _spread(survey.places, settings.heads), _spread(survey.places, settings.faces)
    heads, front, thresholds = [], [], set[float]()
    with track("report", len(shown) + len(faces) + len(extras.predictions)) as progress:
        for place in shown:
            head = source.read(place)
            heads.append(head_article(head, place.split))
            thresholds.add(threshold_of(head))
            progress.advance(1, head.id)
        for place in faces if len(survey.places) > len(shown) else ():
            front.append(face(source, place))
            progress.advance(1, "faces")
        predictions = []
        for folder in extras.predictions:
            predictions.append(prediction_article(folder))
            progress.advance(1, folder.name)
    return _template().render(
        title=extras.title or f"Data set {source.store.url.rpartition('/')[2]}",
        subtitle="Made by pixels2points",
        facts=_facts(source, survey),
        heads=heads,
        faces=front,
        total=len(survey.places),
        predictions=predictions,
        key={"skin": _css(pictures.SKIN_COLOUR), "other": _css(pictures.OTHER_COLOUR)},
        curve=pictures.png_url(charts.learning_curve(read_metrics(extras.metrics))) if extras.metrics else None,
        looks=[_chart(chart) for chart in sections.look_charts(survey)],
        quality=[_chart(chart) for chart in sections.quality_charts(survey)],
        distances=_chart(sections.distance_chart(survey, thresholds or {DEFAULT_THRESHOLD_MM})),
        failures=sections.read_failures(source.store, work),
        times=_chart(sections.time_chart(work)),
        stages=sections.stage_table(work),
        steps=sections.step_table(work),
        more_timings=list(extras.timings.items()),
        credits=sections.read_credits(source, survey),
    )


def read_metrics(path: Path) -> dict[str, list[tuple[int, float]]]:
    """Metrics of a training run from Lightning's CSV: name -> (epoch, value); several of one epoch are averaged."""
    found: dict[str, dict[int, list[float]]] = {}
    with Path(path).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for name, value in row.items():
                if name not in ("epoch", "step") and value:
                    found.setdefault(name, {}).setdefault(int(row["epoch"]), []).append(float(value))
    return {name: [(e, float(np.mean(v))) for e, v in sorted(by.items())] for name, by in found.items() if len(by) > 1}


def _spread(places: Sequence[Place], count: int) -> list[Place]:
    """So many of them, evenly spaced from the first to the last."""
    if len(places) <= count:
        return list(places)
    return [places[round(at)] for at in np.linspace(0, len(places) - 1, count)]


def _facts(source: Source, survey: Survey) -> list[tuple[str, str]]:
    numbers = survey.statistics.to_json()
    splits: dict[str, int] = {}
    for place in survey.places:
        splits[place.split] = splits.get(place.split, 0) + 1
    median = numbers["skin_distance_mm_median"]
    rows = [
        ("heads", ", ".join(f"{count} {name}" for name, count in splits.items())),
        ("scan vertices", f"{numbers['vertices']:,}"),
        ("share of skin", f"{100 * numbers['skin_share']:.1f} %"),
        ("median distance of skin", "none" if median is None else f"{median:.3f} mm"),
    ]
    if source.description is None:
        rows.insert(1, ("state", "not whole: this is what is there so far"))
    else:
        size = sum(shard["bytes"] for split in source.description["splits"].values() for shard in split["shards"])
        rows.append(("shards", f"{size / 1e6:.1f} MB"))
    versions = survey.statistics.versions.items()
    rows.append(("made with", ", ".join(f"{tool} {_words(version)}" for tool, version in versions)))
    return rows


def _words(version: str | Sequence[str]) -> str:
    return version if isinstance(version, str) else " and ".join(version)


def _chart(chart: sections.Chart | None) -> dict[str, str] | None:
    return None if chart is None else {"picture": pictures.png_url(chart.picture), "caption": chart.caption}


def _css(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("page.html")
