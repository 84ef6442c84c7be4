"""The paper's two tables: their rows in order, and everything as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.comparison.rows import ROWS
from evaluation.page.conclusions import conclude

TITLES = {1: "Methods", 2: "Features"}
CAPTURED = {"annotated": "Annotated scans", "blended": "Hair blended over clean heads"}
# Columns of all tables, here and on the page.
COLUMNS = (
    "",
    "mIoU",
    "mIoU per head",
    "wrong within 5 mm, %",
    "distance, mm",
    "median / 90 %, mm",
    "reverse distance, mm",
    "registered",
)
LEGEND = (
    "mIoU: over all vertices together; mIoU per head: mean ± deviation of heads. Wrong within 5 mm: labels of the "
    "vertices within 5 mm of the true boundary between skin and the rest. Distance: unsigned distance from the "
    "registered template's face (mid-forehead to chin without eyes, nostrils and mouth) to the true surface, mean ± "
    "deviation of all distances. Reverse distance: from the true face to the registered template."
)


def table_rows(number: int, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of a table, as `evaluation.json` has them, in the paper's order, with those that have no result.

    Each gets `first`: whether it begins a group.
    """
    order = {row.name: place for place, row in enumerate(ROWS)}
    chosen = sorted((row for row in rows if number in row["tables"]), key=lambda row: order[row["name"]])
    marked, group = [], None
    for row in chosen:
        marked.append({**row, "first": row["group"] != group})
        group = row["group"]
    return marked


def markdown(value: Mapping[str, Any]) -> str:
    """Conclusions, the two tables, rows that stand in neither, the same on scans of the user's own, the size curve.

    Args:
        value: contents of `evaluation.json`.
    """
    parts = [f"# {value['dataset']}: {len(value['heads'])} {value['split']} heads"]
    if sentences := conclude(value):
        parts.append("\n".join(f"- {sentence}" for sentence in sentences))
    parts.append(LEGEND)
    for number, title in TITLES.items():
        if rows := table_rows(number, value["rows"]):
            parts += [f"## Table {number}: {title}", _table(rows, "synthetic")]
    if others := [row for row in value["rows"] if not row["tables"]]:
        parts += ["## Other checkpoints", _table(others, "synthetic")]
    for kind, title in CAPTURED.items():
        if rows := [row for row in value["rows"] if row[kind]]:
            parts += [f"## {title}", _table(rows, kind)]
    if curve := value["size_curve"]["ours"]:
        lines = [_line("training heads", "mIoU"), _rule(2)]
        lines += [_line(str(point["heads"]), _number(point["miou"])) for point in curve]
        parts += ["## Training heads", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _table(rows: Sequence[Mapping[str, Any]], kind: str) -> str:
    lines = [_line(*COLUMNS), _rule(len(COLUMNS))]
    for row in rows:
        results = row[kind]
        if results and (results["labels"] or results["registration"]):
            lines.append(_line(row["title"], *_cells(results)))
        else:
            reason = next(iter(results["missing"]), "") if results else row["note"] or "no method"
            lines.append(_line(row["title"], f"– ({reason})", *[""] * (len(COLUMNS) - 2)))
    return "\n".join(lines)


def _cells(results: Mapping[str, Any]) -> list[str]:
    labels, registered = results["labels"], results["registration"]
    words = (
        ["–"] * 3
        if labels is None
        else [
            _number(labels["miou"]),
            f"{_number(labels['miou_heads_mean'])} ± {_number(labels['miou_heads_std'])}",
            "–" if labels["band_error_5mm"] is None else f"{100 * labels['band_error_5mm']:.1f}",
        ]
    )
    if registered is None:
        words += ["–"] * 3
    else:
        error, back = registered["error_mm"], registered["back_mm"]
        words += [f"{error['mean']:.2f} ± {error['std']:.2f}", f"{error['median']:.2f} / {error['p90']:.2f}"]
        words.append("–" if back is None else f"{back['mean']:.2f}")
    return [*words, f"{results['registered']} of {len(results['by_head'])}"]


def _line(*words: str) -> str:
    return "| " + " | ".join(word.replace("|", "/") for word in words) + " |"


def _rule(columns: int) -> str:
    return "|" + " --- |" * columns


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
