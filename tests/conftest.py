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


# Files that take long, the longest first: one that came last would leave a process alone with it. Before them the test
# that compiles stereo's kernels where that was not done yet, and a file that needs none meanwhile.
FIRST = (
    "test_kernels.py", "test_types.py", "test_blender.py", "test_examples.py", "test_produce.py", "test_extras.py",
    "test_blender_versions.py", "test_registration.py", "test_working_folder.py", "test_blend.py", "test_evaluate.py",
    "test_determinism.py", "test_report.py", "test_samplers.py", "test_makehuman_head.py", "test_without_torch.py",
    "test_pretrained.py", "test_pixels.py", "test_segment.py", "test_files.py", "test_gpu.py", "test_preview.py",
    "test_calibrate.py", "test_run.py", "test_object_store.py", "test_annotation.py", "test_cli.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files come first, then those with slow tests."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    place = {name: number for number, name in enumerate(FIRST)}
    items.sort(key=lambda item: (place.get(item.path.name, len(place)), -slow[item.path]))


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Commands that run in this process set up the log, which the next test is not to inherit."""
    with logging_kept():
        yield
