"""Shared by the training tests."""

import importlib.util
import sys
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("training_toy", Path(__file__).with_name("toy.py"))
toy = importlib.util.module_from_spec(_spec)
sys.modules["training_toy"] = toy
_spec.loader.exec_module(toy)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four toy heads in two shards."""
    return toy.write_dataset(tmp_path_factory.mktemp("toy") / "dataset")
