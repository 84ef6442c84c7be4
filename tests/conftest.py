"""Settings of all tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.logging_state import logging_kept

# A machine that does something else meanwhile makes no example wrong.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: one that came last would leave a process alone with it.

    Before them the test that compiles stereo's kernels where that was not done yet, as many others wait for it.
    """
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: (item.path.name != "test_kernels.py", -slow[item.path]))


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Commands that run in this process set up the log, which the next test is not to inherit."""
    with logging_kept():
        yield
