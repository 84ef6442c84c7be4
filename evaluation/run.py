"""Evaluation of all methods on the same samples, written as a page, tables and numbers (`p2p evaluate`)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture import InputError, Mesh, write_bytes, write_json
from evaluation.comparison.numbers import ResultTable, numbers_json
from evaluation.comparison.results import MethodResult, ResultStore
from evaluation.comparison.row_methods import fill_rows, find_checkpoints
from evaluation.comparison.rows import TableRow
from evaluation.comparison.samples import EvaluationSample, count_samples, read_captured_sample, read_samples
from evaluation.options import EvaluateOptions
from evaluation.page.figures import ComparisonFigures
from evaluation.page.render import render
from evaluation.page.tables import markdown
from registration.template import load_template

log = logging.getLogger(__name__)

Progress = Callable[[int, int, str], None]

PAGE, NUMBERS, TABLES = "evaluation.html", "evaluation.json", "tables.md"


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
    count = count_samples(dataset, options.split, options.heads)
    rows = _rows(options, out)
    template = None if options.template is None else load_template(options.template)
    store = ResultStore(out / "cache" / "results", template)
    shown = set(np.unique(np.linspace(0, count - 1, min(options.pictures, count)).round().astype(int)).tolist())
    figures = ComparisonFigures(template)
    head_models = () if options.head_model is None else (options.head_model,)
    captured = {
        kind: [read_captured_sample(folder) for folder in folders]
        for kind, folders in {"annotated": options.annotated, "blended": options.blended}.items()
    }
    for kind, samples in captured.items():
        _check_captured(kind, samples)
    total = (count + sum(map(len, captured.values()))) * len(rows)
    done = 0

    def advance(step: str) -> None:
        nonlocal done
        done += 1
        progress(done, total, step)

    tables = {kind: ResultTable() for kind in ("synthetic", *captured)}
    for number, sample in enumerate(read_samples(dataset, options.split, options.heads, head_models)):
        _evaluate_sample(sample, rows, store, tables["synthetic"], advance, figures if number in shown else None)
    for kind, samples in captured.items():
        for sample in samples:
            _evaluate_sample(sample, rows, store, tables[kind], advance, figures)
    value = numbers_json(Path(dataset).name, options.split, options.which, rows, tables, template)
    write_json(out / NUMBERS, value)
    write_bytes(out / TABLES, markdown(value).encode())
    write_bytes(out / PAGE, render(value, rows, tables["synthetic"].summaries(rows), figures).encode())
    log.info("%s", out / PAGE)
    return value


def _check_captured(kind: str, samples: Sequence[EvaluationSample]) -> None:
    """Raise `InputError` where captures share a name, or their labels are not of this kind."""
    names = [sample.head.id for sample in samples]
    for sample, name in zip(samples, names, strict=True):
        if names.count(name) > 1:
            raise InputError(f"`{kind}`: {names.count(name)} captures are called {name}; give each its own id, once")
        if kind == "annotated" and not sample.annotated:
            cure = "paint them with `p2p annotate`; captures of `p2p blend` go behind `blended`"
            raise InputError(f"`annotated` {sample.folder}: nobody painted its labels; {cure}")
        if kind == "blended" and sample.annotated:
            cure = "captures with painted labels go behind `annotated`"
            raise InputError(f"`blended` {sample.folder}: `p2p blend` did not make it; {cure}")


def _rows(options: EvaluateOptions, out: Path) -> list[TableRow]:
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


def _evaluate_sample(
    sample: EvaluationSample,
    rows: Sequence[TableRow],
    store: ResultStore,
    table: ResultTable,
    advance: Callable[[str], None],
    figures: ComparisonFigures | None,
) -> None:
    """Add the results of all rows on one sample to the table, and to the figures where they are given."""
    name = sample.head.id
    table.attributes[name] = sample.attributes
    surface, face, reason = _true_surface(sample, store)
    if reason:
        log.warning("%s is labelled but not registered: %s", name, reason)
    results: dict[str, MethodResult] = {}
    for row in rows:
        if row.method is not None:
            if name in row.training_ids:
                result = MethodResult(None, None, "heads that it was trained on are left out")
            else:
                result = store.result(row.method, sample, surface, face, reason)
                if result.reason and result.reason != reason:
                    log.warning("%s, %s: %s", row.title, name, result.reason)
            table.results.setdefault(row.name, {})[name] = results[row.name] = result
        advance(f"{name}: {row.title}")
    if figures is not None:
        figures.add(sample, surface, rows, results)


def _true_surface(sample: EvaluationSample, store: ResultStore) -> tuple[Mesh | None, NDArray[np.bool_] | None, str]:
    """The surface that registration is measured against, its face (V,), and the reason that there is none.

    For a scan that a person annotated it is the template registered with the annotation.
    """
    if not store.registers:
        return None, None, ""
    try:
        if sample.annotated:
            return store.registered_on_labels(sample), store.face_mask, ""
        return sample.true_surface, sample.true_surface.face_mask, ""
    except InputError as error:
        return None, None, str(error)
