"""What a run learns of `dataset.json` when it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from capture import InputError
from factory.dataset.store import Store
from factory.production.state.description import described_shards


def test_a_damaged_description_is_told_from_none_and_left_where_it_is(tmp_path: Path) -> None:
    assert described_shards(Store(tmp_path)) == set()
    (tmp_path / "dataset.json").write_text("{")
    assert described_shards(Store(tmp_path)) is None
    assert (tmp_path / "dataset.json").read_text() == "{"


def test_a_store_that_does_not_answer_is_no_damaged_description(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dataset.json").write_text("{}")

    def refuse(*_: object) -> bytes:
        raise InputError("no answer")

    monkeypatch.setattr(Store, "read", refuse)
    with pytest.raises(InputError, match="no answer"):
        described_shards(Store(tmp_path))
