"""Conclusions: sentences that the numbers of an evaluation support."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evaluation import paper
from evaluation.comparison.rows import BEST, OWN, THREE_D, TWO_D, reference_of

ENOUGH = 6  # heads that a comparison needs
_FEW = 20  # heads, below which a difference may be of these heads alone

Row = Mapping[str, Any]


def conclude(value: Mapping[str, Any]) -> list[str]:
    """Conclusions from the contents of `evaluation.json`.

    Rows are compared on the heads that all of them did, and called different where the 95 % interval of the paired
    difference leaves out 0; nothing is said of fewer than `ENOUGH` heads.
    """
    rows = {row["name"]: row for row in value["rows"] if row["synthetic"]}
    if len(value["heads"]) < ENOUGH:
        return [f"{len(value['heads'])} heads are too few to compare methods: take {ENOUGH} or more."]
    full = reference_of((name, row["group"]) for name, row in rows.items())
    sentences = _of_references(rows, full)
    if full is not None:
        sentences += _of_kind(rows, full, TWO_D, "2D")
        sentences += _of_kind(rows, full, THREE_D, "3D")
    if sentences and len(value["heads"]) < _FEW:
        sentences.append(
            f"All this is of {len(value['heads'])} heads of one generator; more of them would narrow the "
            "intervals, and other people's scans may differ."
        )
    return sentences


def _of_references(rows: Mapping[str, Row], full: str | None) -> list[str]:
    """Registration without a mask, with the true labels, and with ours, on the same heads."""
    names = [name for name in ("none", "truth", full) if name is not None and name in rows]
    if "none" not in names or "truth" not in names:
        return []
    heads, means = _on_common_heads([rows[name] for name in names])
    if heads < ENOUGH:
        return []
    none, truth = means[0], means[1]
    sentences = [
        f"Registered to the whole scan, the face lies {none:.2f} mm from the true surface; to the true skin, "
        f"{truth:.2f} mm ({heads} heads)."
    ]
    if len(means) > 2 and none > truth:
        share = 100 * (none - means[2]) / (none - truth)
        way = f"{share:.0f} % of the way from no mask to the true labels"
        beside = way if share >= 0 else "more than without a mask"
        title = rows[names[2]]["title"]
        sentences.append(f"With the labels of {title} it is {means[2]:.2f} mm: {beside}, on the same heads.")
    return sentences


def _of_kind(rows: Mapping[str, Row], full: str, group: str, kind: str) -> list[str]:
    """The reference beside the best baseline of a group, of the rows that can be had without true labels."""
    usable = [row for name, row in rows.items() if row["group"] == group and name != "masks"]
    sentences = []
    for number, best in (("error_mm", min), ("miou", max)):
        compared = [row for row in usable if _difference(row, number) is not None]
        if compared:
            heads, means = _on_common_heads(compared, number)
            if heads >= ENOUGH:
                chosen = compared[means.index(best(means))]
                sentences.append(_sentence(rows[full], chosen, number, kind, group))
    return sentences


def _sentence(full: Row, row: Row, number: str, kind: str, group: str) -> str:
    difference = _difference(row, number)
    assert difference is not None  # chosen among those that have one
    name, unit = ("mean distance", " mm") if number == "error_mm" else ("mean mIoU of a head", "")
    digits = 2 if unit else 3
    interval = (
        f"95 %: {difference['low']:+.{digits}f} to {difference['high']:+.{digits}f}{unit}, {difference['heads']} heads"
    )
    who = f"{row['title']} (the best of: {group})"
    if difference["low"] <= 0 <= difference["high"]:
        return f"These heads don't tell whether {full['title']} or {who} has the better {name} ({interval})."
    theirs = ""
    if number == "error_mm" and full["name"] in (BEST, OWN):
        theirs = f"; the paper says {100 * paper.BETTER_THAN[kind]:.1f} % less"
    change = f"{difference['difference']:+.{digits}f}{unit}, {100 * difference['relative']:+.0f} %"
    return f"The {name} of {full['title']} differs from that of {who} by {change} ({interval}){theirs}."


def _difference(row: Row, number: str) -> Mapping[str, Any] | None:
    difference: Mapping[str, Any] | None = row["synthetic"].get("reference_less_this", {}).get(number)
    return difference if difference is not None and difference["heads"] >= ENOUGH else None


def _on_common_heads(rows: Sequence[Row], number: str = "error_mm") -> tuple[int, list[float]]:
    """Count of the heads for which all rows have the number, and each row's mean over those."""
    tables = []
    for row in rows:
        heads = {name: _of_head(head, number) for name, head in row["synthetic"]["by_head"].items()}
        tables.append({name: each for name, each in heads.items() if each is not None})
    common = sorted(set.intersection(*(set(table) for table in tables)))
    if not common:
        return 0, [float("nan")] * len(rows)
    return len(common), [float(np.mean([table[name] for name in common])) for table in tables]


def _of_head(head: Mapping[str, Any], number: str) -> float | None:
    value = head[number]
    return value["mean"] if isinstance(value, Mapping) else value
