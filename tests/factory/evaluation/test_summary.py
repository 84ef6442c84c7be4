from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.registration.errors import SurfaceError
from factory.evaluation.conclusions import conclude
from factory.evaluation.groups import by_group, groups_of
from factory.evaluation.results import Registered, Result
from factory.evaluation.summary import compare, distance_of, pooled, summarise


def result(mean: float) -> Result:
    return Result(None, Registered(SurfaceError(mean, 0.1, mean, mean), None, 1.0, Path()))


@given(st.lists(st.lists(st.floats(0, 10), min_size=4, max_size=4), min_size=1, max_size=5))
def test_pooled_is_the_spread_of_all_distances(heads: list[list[float]]) -> None:
    errors = [SurfaceError.of(np.array(values), np.ones(4)) for values in heads]
    found = pooled(errors)
    assert found is not None
    assert found.mean == pytest.approx(np.mean(heads), abs=1e-9)
    assert found.std == pytest.approx(np.std(heads), abs=1e-6)
    assert pooled([]) is None


def test_heads_that_are_missing_are_named() -> None:
    found = summarise({"a": result(1.0), "b": Result(None, None, "no skin"), "c": Result(None, None, "no skin")})
    assert (found.heads, found.registered) == (0, 1) and found.why == {"no skin": ["b", "c"]}
    value = found.to_json()
    assert value["labels"] is None and value["registration"]["error_mm"]["mean"] == 1
    assert summarise({"b": Result(None, None, "no skin")}).to_json()["registration"] is None


def test_a_difference_is_clear_where_every_head_shows_it() -> None:
    names = [f"h{i}" for i in range(12)]
    rng = np.random.default_rng(0)
    theirs = {name: result(1 + 0.5 * rng.random()) for name in names}
    better = {name: result((distance_of(each) or 0) - 0.2) for name, each in theirs.items()}
    found = compare(better, theirs, distance_of)
    assert found is not None and found.clear and found.difference == pytest.approx(-0.2)
    noisy = {name: result((distance_of(each) or 0) + rng.normal(0, 0.3)) for name, each in theirs.items()}
    other = compare(noisy, theirs, distance_of)
    assert other is not None and not other.clear and other.low < 0 < other.high
    assert compare(better, {"h0": result(1.0), "x": result(1.0)}, distance_of) is None


def test_groups_come_from_words_and_numbers() -> None:
    look = {"hair": "makehuman/short03", "skin_melanin": 0.5, "expression": 0.9, "beard": "full"}
    assert groups_of(look) == {"hair": "short03", "beard": "full", "skin tone": "medium", "expression": "strong"}
    found = by_group({"a": look, "b": {"hair": "bob"}, "c": {"hair": "bob"}})
    assert list(found["hair"]) == ["bob", "short03"] and found["beard"] == {"full": ["a"]}


def row(name: str, group: str, error: float | None, against: dict | None = None) -> dict:
    registration = None if error is None else {"error_mm": {"mean": error}}
    synthetic = {"registration": registration, "labels": {"miou": 0.8}}
    if against is not None:
        synthetic["full_model_less_this"] = against
    return {"name": name, "title": name, "group": group, "synthetic": synthetic}


def test_only_what_the_numbers_carry_is_said() -> None:
    clear = {"heads": 8, "difference": -0.3, "low": -0.5, "high": -0.1, "relative": -0.3}
    open_ = {"heads": 8, "difference": -0.01, "low": -0.05, "high": 0.03, "relative": -0.01}
    rows = [
        row("none", "reference", 2.0), row("truth", "reference", 0.5),
        row("dinov2", "DiffusionNet on lifted features", 0.7),
        row("unet", "2D, projected", 1.0, {"error_mm": clear, "miou": open_}),
        row("masks", "2D, projected", 0.6, {"error_mm": clear, "miou": clear}),
        row("hks", "3D only", None, {"error_mm": None, "miou": open_}),
    ]  # fmt: skip
    said = conclude({"rows": rows, "heads": ["a", "b"]})
    text = "\n".join(said)
    assert "2.00 mm" in text and "87 % of the way" in text
    assert "that of unet" in text and "-0.30 mm, -30 %" in text and "8.9 % less" in text
    assert "don't tell which has the better mean mIoU" in text
    assert "masks" not in text and "2 heads of one generator" in text
    assert not any("hks" in sentence and "distance" in sentence for sentence in said)
    assert conclude({"rows": [], "heads": []}) == []
