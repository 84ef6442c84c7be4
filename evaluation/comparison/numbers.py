"""Contents of `evaluation.json`: the numbers of rows, groups of heads and single heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from evaluation import paper
from evaluation.comparison.groups import by_group
from evaluation.comparison.results import MethodResult
from evaluation.comparison.rows import BEST_KIND, OWN_KIND, TableRow, curve_of, reference_of
from evaluation.comparison.summary import MethodSummary, compare, distance_of, miou_of, summarise
from evaluation.metrics.statistics import PairedDifference
from registration.template import Template

SCHEMA_VERSION = 1


class ResultTable:
    """Results by row and head.

    Attributes:
        results: name of the row -> head id -> result.
        attributes: head id -> its attributes.
    """

    def __init__(self) -> None:
        self.results: dict[str, dict[str, MethodResult]] = {}
        self.attributes: dict[str, Mapping[str, str | float]] = {}

    def summaries(self, rows: Sequence[TableRow]) -> dict[str, MethodSummary]:
        """Name of the row -> its summary, of the rows that have results."""
        return {row.name: summarise(self.results[row.name]) for row in rows if self.results.get(row.name)}


def numbers_json(
    dataset: str,
    split: str,
    checkpoints: str,
    rows: Sequence[TableRow],
    tables: Mapping[str, ResultTable],
    template: Template | None,
) -> dict[str, Any]:
    """The numbers of an evaluation.

    Args:
        dataset: its name.
        split: of the data set.
        checkpoints: of each run: last or best.
        rows: of the tables.
        tables: "synthetic" for the data set, and a kind of captures each -> results.
        template: that was registered; None for labels alone.
    """
    synthetic = tables["synthetic"]
    summaries = synthetic.summaries(rows)
    longest = max(curve_of(rows, OWN_KIND), curve_of(rows, BEST_KIND), key=len)
    curve = [
        {"heads": row.training_heads, "miou": summaries[row.name].to_json()["labels"]["miou"]}
        for row in longest
        if row.name in summaries and summaries[row.name].scores is not None
    ]
    return {
        "schema_version": SCHEMA_VERSION,
        "dataset": dataset,
        "split": split,
        "heads": sorted(synthetic.attributes),
        "checkpoints": checkpoints,
        "template": None if template is None else {"name": template.model.name, "version": template.model.version},
        "rows": [
            {
                "name": row.name,
                "title": row.title,
                "group": row.group,
                "tables": list(row.tables),
                "note": row.note,
                "training_heads": row.training_heads,
                "paper": _paper(row.name),
                **{kind: _row_json(row, table, rows) for kind, table in tables.items()},
            }
            for row in rows
        ],
        "groups": _groups(rows, synthetic),
        "size_curve": {"ours": curve, "paper": [{"heads": n, "miou": m} for n, m in paper.SIZE_CURVE.items()]},
        "looks": synthetic.attributes,
    }


def _row_json(row: TableRow, table: ResultTable, rows: Sequence[TableRow]) -> dict[str, Any] | None:
    results = table.results.get(row.name)
    if not results:
        return None
    value = summarise(results).to_json()
    reference = reference_of((each.name, each.group) for each in rows if table.results.get(each.name))
    if reference is not None and reference != row.name:
        theirs = table.results[reference]
        value["reference"] = reference
        value["reference_less_this"] = {
            "miou": _difference_json(compare(theirs, results, miou_of)),
            "error_mm": _difference_json(compare(theirs, results, distance_of)),
        }
    value["by_head"] = {
        name: {
            "miou": None if result.labels is None else round(result.labels.counts.scores().miou, 5),
            "error_mm": None if result.registration is None else result.registration.error.to_json(),
        }
        for name, result in results.items()
    }
    return value


def _difference_json(difference: PairedDifference | None) -> dict[str, Any] | None:
    if difference is None:
        return None
    return {name: each if name == "heads" else round(each, 5) for name, each in asdict(difference).items()}


def _paper(name: str) -> dict[str, Any] | None:
    cell = paper.TABLE.get(name)
    return None if cell is None else asdict(cell)


def _groups(rows: Sequence[TableRow], table: ResultTable) -> dict[str, Any]:
    """Grouping -> group -> heads and row -> mIoU and registration error."""
    groupings: dict[str, Any] = {}
    for grouping, groups in by_group(table.attributes).items():
        for group, names in groups.items():
            entry: dict[str, Any] = {"heads": names, "rows": {}}
            for row in rows:
                part = {name: each for name, each in table.results.get(row.name, {}).items() if name in names}
                if part:
                    summary = summarise(part).to_json()
                    labels, registered = summary["labels"], summary["registration"]
                    entry["rows"][row.name] = {
                        "miou": None if labels is None else labels["miou"],
                        "error_mm": None if registered is None else registered["error_mm"]["mean"],
                    }
            groupings.setdefault(grouping, {})[group] = entry
    return groupings
