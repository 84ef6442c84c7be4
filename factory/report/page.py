"""A data set, and what a model says of unseen scans, as one HTML file without anything beside it."""

from __future__ import annotations

import base64
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from numpy.typing import NDArray

from capture import Capture, Labels, Mesh, Scan, write_bytes
from evaluation.metrics import BinaryScores, binary_scores
from factory.console import track
from factory.events import read_timings
from factory.report import pictures
from factory.shards import SPLITS, read_dataset
from factory.store import Store
from training.heads import Head
from training.images import decode_image
from training.predictions import Prediction
from training.shards import read_heads, read_splits

THUMBNAIL = 264  # pixels; shown at half that size
HEADS_SHOWN = 24
DEFAULT_THRESHOLD_MM = 1.5  # the paper's, where the samples don't say


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


def write_report(dataset: Path, out: Path, extras: ReportExtras | None = None) -> Path:
    """Write the page to `out` and return it. Raises `InputError` where the data set is missing or damaged."""
    extras = extras or ReportExtras()
    description = read_dataset(dataset)
    total = sum(description["splits"][name]["samples"] for name in SPLITS)
    shown = min(total, HEADS_SHOWN)
    heads, distances, thresholds = [], [], set[float]()
    with track("report", shown + len(extras.predictions)) as progress:
        for split, head in islice(_all_heads(dataset), shown):
            heads.append(_head(head, split))
            assert head.labels is not None  # samples have them
            distances.append(head.labels.distance_mm)
            stages = head.info.get("stages", {})
            thresholds.add(stages.get("label", {}).get("options", {}).get("threshold_mm", DEFAULT_THRESHOLD_MM))
            progress.advance(1, head.id)
        predictions = []
        for folder in extras.predictions:
            predictions.append(_prediction(folder))
            progress.advance(1, folder.name)
    names = [head["name"] for head in heads]
    every = read_timings(Store(dataset))
    timings = {name: every.get(name, {}) for name in names}
    page = _template().render(
        title=extras.title or f"Data set {Path(dataset).resolve().name}",
        subtitle="Made by pixels2points",
        facts=_facts(description),
        heads=heads,
        omitted=total - shown,
        predictions=predictions,
        key={"skin": _css(pictures.SKIN_COLOUR), "other": _css(pictures.OTHER_COLOUR)},
        curve=_png(pictures.learning_curve(read_metrics(extras.metrics))) if extras.metrics else None,
        histogram=_png(pictures.distance_histogram(distances, names, sorted(thresholds))),
        chart=_png(pictures.timing_chart(timings)) if any(timings.values()) else None,
        timings=[*_mean_timings(timings).items(), *extras.timings.items()],
    )
    write_bytes(Path(out), page.encode())
    return Path(out)


def read_metrics(path: Path) -> dict[str, list[tuple[int, float]]]:
    """Metrics of a training run from Lightning's CSV: name -> (epoch, value); several of one epoch are averaged."""
    found: dict[str, dict[int, list[float]]] = {}
    with Path(path).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for name, value in row.items():
                if name not in ("epoch", "step") and value:
                    found.setdefault(name, {}).setdefault(int(row["epoch"]), []).append(float(value))
    return {name: [(e, float(np.mean(v))) for e, v in sorted(by.items())] for name, by in found.items() if len(by) > 1}


def _all_heads(dataset: Path) -> Iterator[tuple[str, Head]]:
    for name, split in read_splits(dataset).items():
        for shard in split.shards:
            for head in read_heads(shard):
                yield name, head


def _head(head: Head, split: str) -> dict[str, Any]:
    labels, scan = head.labels, head.scan
    assert labels is not None
    skin = labels.distance_mm[labels.skin]
    median = f", median distance of skin {np.median(skin):.2f} mm" if skin.size else ""
    summary = f"{len(scan.vertices):,} vertices, {100 * labels.skin.mean():.0f} % skin{median}"
    shown = [_mesh_picture(scan, None, "three_quarter", "scan, shape only")]
    if scan.colours is not None:
        shown.append(_mesh_picture(scan, scan.colours, "front", "scan, colour"))
    shown.append(_mesh_picture(scan, pictures.label_colours(labels.skin), "front", "true labels"))
    shown.append(_mesh_picture(scan, pictures.label_colours(labels.skin), "profile", "true labels, profile"))
    colours = pictures.distance_colours(labels.distance_mm)
    shown.append(_mesh_picture(scan, colours, "three_quarter", "distance, 0 (dark) to 5 mm (bright)"))
    views = [_thumbnail(image) for image in head.pixels()]
    return {"name": head.id, "split": split, "summary": summary, "views": views, "meshes": shown}


def _prediction(folder: Path) -> dict[str, Any]:
    capture = Capture.read(folder)
    scan = Scan.read(capture.scan_path)
    skin = Prediction.read(folder / "prediction" / Prediction.FILE, scan).skin
    shown = [_mesh_picture(scan, None, "three_quarter", "scan, shape only")]
    scores: BinaryScores | None = None
    predicted = pictures.label_colours(skin)
    if capture.labels_path.is_file():
        true = Labels.read(capture.labels_path, len(scan.vertices)).skin
        scores = binary_scores(skin, true)
        shown.append(_mesh_picture(scan, pictures.label_colours(true), "front", "true labels"))
        shown.append(_mesh_picture(scan, predicted, "front", "predicted labels"))
        shown.append(_mesh_picture(scan, predicted, "three_quarter", "predicted labels, from the side"))
        agreement = pictures.agreement_colours(skin, true)
        shown.append(_mesh_picture(scan, agreement, "three_quarter", "where they differ"))
    else:
        shown.append(_mesh_picture(scan, predicted, "front", "predicted labels"))
        shown.append(_mesh_picture(scan, predicted, "three_quarter", "predicted labels, from the side"))
    views = [_thumbnail(decode_image(path.read_bytes(), str(path))) for path in capture.image_paths]
    return {"name": capture.info.id, "scores": scores, "views": views, "meshes": shown}


def _facts(description: dict[str, Any]) -> list[tuple[str, str]]:
    splits, numbers = description["splits"], description["statistics"]
    median = numbers.get("skin_distance_mm_median")
    size = sum(shard["bytes"] for split in splits.values() for shard in split["shards"])
    return [
        ("heads", ", ".join(f"{splits[name]['samples']} {name}" for name in SPLITS)),
        ("scan vertices", f"{numbers['vertices']:,}"),
        ("share of skin", f"{100 * numbers['skin_share']:.1f} %"),
        ("median distance of skin", "none" if median is None else f"{median:.3f} mm"),
        ("shards", f"{size / 1e6:.1f} MB"),
        ("made with", ", ".join(f"{tool} {version}" for tool, version in description["versions"].items())),
    ]


def _mean_timings(timings: dict[str, dict[str, float]]) -> dict[str, float]:
    stages = dict.fromkeys(stage for head in timings.values() for stage in head)
    return {f"{s}, mean of a head": float(np.mean([h[s] for h in timings.values() if s in h])) for s in stages}


def _mesh_picture(mesh: Mesh, colours: NDArray[np.uint8] | None, view: str, caption: str) -> dict[str, str]:
    return {"picture": _jpeg(pictures.render_mesh(mesh, colours, view)), "caption": caption}


def _thumbnail(image: NDArray[np.uint8]) -> str:
    return _jpeg(pictures.thumbnail(image, THUMBNAIL))


def _jpeg(image: NDArray[np.uint8]) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(pictures.jpeg(image)).decode()


def _png(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def _css(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("page.html")
