"""Makes the helpers of this folder importable under `importlib` import mode."""

import importlib.util
import sys
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("evaluation_made", Path(__file__).with_name("made.py"))
made = importlib.util.module_from_spec(_spec)
sys.modules["evaluation_made"] = made
_spec.loader.exec_module(made)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One head to train on and two to test on."""
    return made.write_dataset(tmp_path_factory.mktemp("made") / "dataset", 1, 2)
