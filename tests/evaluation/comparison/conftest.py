"""Shared by the tests of the comparison."""

from pathlib import Path

import pytest

from tests.evaluation.comparison import made


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One head to train on and two to test on."""
    return made.write_dataset(tmp_path_factory.mktemp("made") / "dataset", 1, 2)
