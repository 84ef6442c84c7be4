"""The split of a data set's heads into train and test."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

SPLITS = ("train", "test")


def split_by_share(ids: Sequence[str], test_share: float) -> dict[str, list[str]]:
    """Split heads into train and test: at least one in test where there are two or more and a share is asked for."""
    return split_by_count(ids, count_for_test(len(ids), test_share))


def count_for_test(heads: int, test_share: float) -> int:
    """The number of test heads that a share of so many heads makes."""
    count = round(heads * test_share)
    return min(max(count, 1), heads - 1) if test_share > 0 and heads > 1 else count


def split_by_count(ids: Sequence[str], count: int) -> dict[str, list[str]]:
    """Split heads into train and `count` for test: a function of the ids alone, and of no order.

    The heads are ranked by a hash of their id and the first go to the test split.
    """
    ranked = sorted(ids, key=lambda name: hashlib.sha256(name.encode()).digest())
    return {"train": sorted(ranked[count:]), "test": sorted(ranked[:count])}
