"""Sentences that the numbers carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluation import paper
from factory.evaluation.rows import BEST, OURS, THREE_D, TWO_D

_FEW = 20  # heads, below which a difference may be of these heads alone


def conclude(value: Mapping[str, Any]) -> list[str]:
    """What follows from `evaluation.json`, in words: differences whose 95 % interval leaves out 0, and no others."""
    rows = {row["name"]: row for row in value["rows"] if row["synthetic"]}
    said = _of_references(rows)
    full = BEST if BEST in rows else next((name for name, row in rows.items() if row["group"] == OURS), None)
    if full is not None:
        said += _of_registration(rows, full)
        said += _of_kind(rows, full, TWO_D, "2D")
        said += _of_kind(rows, full, THREE_D, "3D")
    if said and len(value["heads"]) < _FEW:
        said.append(f"All this is of {len(value['heads'])} heads of one generator; more of them would narrow the "
                    "intervals, and other people's scans may differ.")  # fmt: skip
    return said


def _of_references(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What masks are worth at most."""
    none, truth = _error(rows.get("none")), _error(rows.get("truth"))
    if none is None or truth is None:
        return []
    return [f"Registered to the whole scan, the face lies {none:.2f} mm from the truth; to the true skin, "
            f"{truth:.2f} mm. Between these two lies what a mask can give."]  # fmt: skip


def _of_registration(rows: Mapping[str, Mapping[str, Any]], full: str) -> list[str]:
    none, truth, ours = (_error(rows.get(name)) for name in ("none", "truth", full))
    if none is None or truth is None or ours is None or none <= truth:
        return []
    share = 100 * (none - ours) / (none - truth)
    return [f"With the labels of {rows[full]['title']} it is {ours:.2f} mm: {share:.0f} % of the way from no mask to "
            "the true one."]  # fmt: skip


def _of_kind(rows: Mapping[str, Mapping[str, Any]], full: str, group: str, kind: str) -> list[str]:
    """The full model beside the best baseline of a group, which is a row that can be had without the truth."""
    usable = [row for name, row in rows.items() if row["group"] == group and name != "masks"]
    said = []
    measured = [row for row in usable if _error(row) is not None]
    if measured and _error(rows[full]) is not None:
        nearest = min(measured, key=lambda row: _error(row) or 0.0)
        said.append(_sentence(nearest, "error_mm", kind, f"the best of {group}"))
    labelled = [row for row in usable if row["synthetic"]["labels"]]
    if labelled:
        best = max(labelled, key=lambda row: row["synthetic"]["labels"]["miou"])
        said.append(_sentence(best, "miou", kind, f"the best of {group}"))
    return [sentence for sentence in said if sentence]


def _sentence(row: Mapping[str, Any], number: str, kind: str, what: str) -> str:
    found = row["synthetic"].get("full_model_less_this", {}).get(number)
    if found is None:
        return ""
    name, unit = ("mean distance", " mm") if number == "error_mm" else ("mean mIoU of a head", "")
    digits = 2 if unit else 3
    interval = f"{found['low']:+.{digits}f} to {found['high']:+.{digits}f}{unit}"
    who = f"{row['title']} ({what})"
    if found["low"] <= 0 <= found["high"]:
        return f"Between the full model and {who}, these heads don't tell which has the better {name} ({interval})."
    theirs = f"; the paper says {100 * paper.BETTER_THAN[kind]:.1f} % less" if number == "error_mm" else ""
    change = f"{found['difference']:+.{digits}f}{unit}, {100 * found['relative']:+.0f} %"
    return f"The full model's {name} differs from that of {who} by {change} (95 %: {interval}){theirs}."


def _error(row: Mapping[str, Any] | None) -> float | None:
    if row is None or row["synthetic"]["registration"] is None:
        return None
    return float(row["synthetic"]["registration"]["error_mm"]["mean"])


