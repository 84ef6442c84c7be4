"""Every row on every head, then the page and the numbers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from assets.head_models.registry import load_head_model
from capture import HeadSurface, InputError, Mesh, write_bytes, write_json
from evaluation import paper
from evaluation.comparison.groups import by_group
from evaluation.comparison.results import Result, Workshop
from evaluation.comparison.rows import (
    BEST_KIND,
    OWN_KIND,
    Row,
    curve_of,
    fill_rows,
    find_checkpoints,
    reference_of,
)
from evaluation.comparison.samples import Subject, count_subjects, read_captured, read_subjects
from evaluation.comparison.summary import Summary, compare, distance_of, miou_of, summarise
from evaluation.options import EvaluateOptions
from evaluation.page.figures import Figures
from evaluation.page.render import render
from evaluation.page.tables import markdown
from registration.template import Template

log = logging.getLogger(__name__)

Progress = Callable[[int, int, str], None]

PAGE, NUMBERS, TABLES = "evaluation.html", "evaluation.json", "tables.md"
SCHEMA_VERSION = 1


def evaluate(
    dataset: Path, out: Path, options: EvaluateOptions, progress: Progress = lambda done, total, step: None
) -> dict[str, Any]:
    """Fill the tables on a data set's heads; write the page, the numbers and the tables, and return the numbers.

    Results of single heads are kept in `<out>/cache`, by content: a row that is added is the only one that is computed.
    `progress` is called with the steps done, their total, and the head and the row of the last one.

    Raises `InputError` where the data set, a checkpoint or a file is unusable.
    """
    out = Path(out)
    if out.exists() and not out.is_dir():
        raise InputError(f"`out` {out} is a file; name a folder")
    count = count_subjects(dataset, options.split, options.heads)
    rows = _rows(options, out)
    template = None if options.template is None else Template(load_head_model(options.template))
    workshop = Workshop(out / "cache" / "results", template)
    shown = set(np.unique(np.linspace(0, count - 1, min(options.pictures, count)).round().astype(int)).tolist())
    figures = Figures(template)
    models = () if options.head_model is None else (options.head_model,)
    captured = {
        kind: [read_captured(folder) for folder in folders]
        for kind, folders in {"annotated": options.annotated, "blended": options.blended}.items()
    }
    for kind, subjects in captured.items():
        _check_captured(kind, subjects)
    total = (count + sum(map(len, captured.values()))) * len(rows)
    done = 0

    def advance(step: str) -> None:
        nonlocal done
        done += 1
        progress(done, total, step)

    collected = {kind: _Collected() for kind in ("synthetic", *captured)}
    synthetic = collected["synthetic"]
    for number, subject in enumerate(read_subjects(dataset, options.split, options.heads, models)):
        _run(subject, rows, workshop, synthetic, advance, figures if number in shown else None)
    for kind, subjects in captured.items():
        for subject in subjects:
            _run(subject, rows, workshop, collected[kind], advance, figures)
    value = _numbers(dataset, options, rows, collected, template)
    write_json(out / NUMBERS, value)
    write_bytes(out / TABLES, markdown(value).encode())
    write_bytes(out / PAGE, render(value, rows, synthetic.summaries(rows), figures).encode())
    log.info("%s", out / PAGE)
    return value


def _check_captured(kind: str, subjects: Sequence[Subject]) -> None:
    """Raises `InputError` where captures share a name, or their labels are not of this kind."""
    names = [subject.head.id for subject in subjects]
    for subject, name in zip(subjects, names, strict=True):
        if names.count(name) > 1:
            raise InputError(f"`{kind}`: {names.count(name)} captures are called {name}; give each its own id, once")
        if kind == "annotated" and not subject.annotated:
            cure = "paint them with `p2p annotate`; captures of `p2p blend` go behind `blended`"
            raise InputError(f"`annotated` {subject.folder}: nobody painted its labels; {cure}")
        if kind == "blended" and subject.annotated:
            cure = "captures with painted labels go behind `annotated`"
            raise InputError(f"`blended` {subject.folder}: `p2p blend` did not make it; {cure}")


class _Collected:
    """Results by row and head."""

    def __init__(self) -> None:
        self.results: dict[str, dict[str, Result]] = {}
        self.looks: dict[str, Mapping[str, str | float]] = {}

    def summaries(self, rows: Sequence[Row]) -> dict[str, Summary]:
        """Row -> its numbers, of the rows that have any."""
        return {row.name: summarise(self.results[row.name]) for row in rows if self.results.get(row.name)}


def _rows(options: EvaluateOptions, out: Path) -> list[Row]:
    checkpoints = [] if options.checkpoints is None else find_checkpoints(options.checkpoints, options.which)
    rows = fill_rows(checkpoints, options.baselines, options.vertices, out / "cache" / "features")
    known = {row.name for row in rows}
    unknown = [name for name in options.rows if name not in known]
    if unknown:
        raise InputError(f"`rows` {unknown[0]}: no such row; there are {', '.join(sorted(known))}")
    chosen = [row for row in rows if not options.rows or row.name in options.rows]
    if all(row.method is None for row in chosen):
        raise InputError(f"`rows` {','.join(options.rows)}: {chosen[0].note}")
    return chosen


def _run(
    subject: Subject,
    rows: Sequence[Row],
    workshop: Workshop,
    into: _Collected,
    advance: Callable[[str], None],
    figures: Figures | None,
) -> None:
    """All rows on one head."""
    name = subject.head.id
    into.looks[name] = subject.look
    truth, face, why = _truth(subject, workshop)
    if why:
        log.warning("%s is labelled but not registered: %s", name, why)
    found: dict[str, Result] = {}
    for row in rows:
        if row.method is not None and name in row.ids:
            result = Result(None, None, "heads that it was trained on are left out")
            into.results.setdefault(row.name, {})[name] = found[row.name] = result
        elif row.method is not None:
            result = workshop.result(row.method, subject, truth, face, why)
            into.results.setdefault(row.name, {})[name] = found[row.name] = result
            if result.why and result.why != why:
                log.warning("%s, %s: %s", row.title, name, result.why)
        advance(f"{name}: {row.title}")
    if figures is not None:
        figures.add(subject, truth, rows, found)


def _truth(subject: Subject, workshop: Workshop) -> tuple[Mesh | None, Any, str]:
    """What registration is measured against, its face, and why there is none.

    For a scan that a person annotated it is the template registered with the annotation.
    """
    if not workshop.registers:
        return None, None, ""
    try:
        if subject.annotated:
            return workshop.registered_on_labels(subject), workshop.face_mask, ""
        surface: HeadSurface = subject.truth
        return surface, surface.face_mask, ""
    except InputError as error:
        return None, None, str(error)


def _numbers(
    dataset: Path,
    options: EvaluateOptions,
    rows: Sequence[Row],
    collected: Mapping[str, _Collected],
    template: Template | None,
) -> dict[str, Any]:
    """What stands in `evaluation.json`."""
    synthetic = collected["synthetic"]
    summaries = synthetic.summaries(rows)
    longest = max(curve_of(rows, OWN_KIND), curve_of(rows, BEST_KIND), key=len)
    curve = [
        {"heads": row.heads, "miou": summaries[row.name].to_json()["labels"]["miou"]}
        for row in longest
        if row.name in summaries and summaries[row.name].scores is not None
    ]
    return {
        "schema_version": SCHEMA_VERSION,
        "dataset": Path(dataset).name,
        "split": options.split,
        "heads": sorted(synthetic.looks),
        "checkpoints": options.which,
        "template": None if template is None else {"name": template.model.name, "version": template.model.version},
        "rows": [
            {
                "name": row.name,
                "title": row.title,
                "group": row.group,
                "tables": list(row.tables),
                "note": row.note,
                "training_heads": row.heads,
                "paper": _paper(row.name),
                **{kind: _row_json(row, each, rows) for kind, each in collected.items()},
            }
            for row in rows
        ],
        "groups": _groups(rows, synthetic),
        "size_curve": {"ours": curve, "paper": [{"heads": n, "miou": m} for n, m in paper.SIZE_CURVE.items()]},
        "looks": synthetic.looks,
    }


def _row_json(row: Row, collected: _Collected, rows: Sequence[Row]) -> dict[str, Any] | None:
    results = collected.results.get(row.name)
    if not results:
        return None
    value = summarise(results).to_json()
    reference = _reference(rows, collected)
    if reference is not None and reference != row.name:
        numbers = {"miou": miou_of, "error_mm": distance_of}
        found = {name: compare(collected.results[reference], results, number) for name, number in numbers.items()}
        value["reference"] = reference
        value["reference_less_this"] = {
            name: None
            if each is None
            else {
                "heads": each.heads,
                "difference": round(each.difference, 5),
                "low": round(each.low, 5),
                "high": round(each.high, 5),
                "relative": round(each.relative, 5),
            }
            for name, each in found.items()
        }
    value["by_head"] = {
        name: {
            "miou": None if result.labels is None else round(result.labels.counts.scores().miou, 5),
            "error_mm": None if result.registered is None else result.registered.error.to_json(),
        }
        for name, result in results.items()
    }
    return value


def _paper(name: str) -> dict[str, Any] | None:
    cell = paper.TABLE.get(name)
    return None if cell is None else asdict(cell)


def _reference(rows: Sequence[Row], collected: _Collected) -> str | None:
    """The row that the others are compared with, of those that have results."""
    return reference_of((row.name, row.group) for row in rows if collected.results.get(row.name))


def _groups(rows: Sequence[Row], collected: _Collected) -> dict[str, Any]:
    """Grouping -> group -> heads and row -> mIoU and registration error."""
    found: dict[str, Any] = {}
    for grouping, groups in by_group(collected.looks).items():
        for group, names in groups.items():
            entry: dict[str, Any] = {"heads": names, "rows": {}}
            for row in rows:
                part = {name: each for name, each in collected.results.get(row.name, {}).items() if name in names}
                if part:
                    summary = summarise(part).to_json()
                    labels, registered = summary["labels"], summary["registration"]
                    entry["rows"][row.name] = {
                        "miou": None if labels is None else labels["miou"],
                        "error_mm": None if registered is None else registered["error_mm"]["mean"],
                    }
            found.setdefault(grouping, {})[group] = entry
    return found
