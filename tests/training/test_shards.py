"""The first heads of a split, wherever shards end."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture import InputError
from training.data.shards import Shard, Split


def split_of(sizes: list[int]) -> Split:
    """A split whose shards hold so many heads."""
    shards = tuple(Shard(Path(f"{number}.tar"), size, "00") for number, size in enumerate(sizes))
    return Split("train", shards, tuple(f"head_{number}" for number in range(sum(sizes))))


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.data())
def test_the_first_heads_need_no_shard_behind_them(sizes: list[int], data: st.DataObject) -> None:
    whole = split_of(sizes)
    heads = data.draw(st.integers(1, len(whole.ids)))
    first = whole.first(heads)
    assert first.ids == whole.ids[:heads]
    assert first.shards == whole.shards[: len(first.shards)]
    assert sum(shard.samples for shard in first.shards) >= heads
    assert sum(shard.samples for shard in first.shards[:-1]) < heads
    assert first.limited == (heads < len(whole.ids))


@pytest.mark.parametrize("heads", [0, -1, 6])
def test_more_heads_than_there_are_is_an_error(heads: int) -> None:
    with pytest.raises(InputError, match=f"`data.heads` is {heads}, the train split has 5 heads"):
        split_of([2, 3]).first(heads)
