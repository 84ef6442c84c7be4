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


@pytest.fixture(scope="session")
def tiny_dinov2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small DINOv2 of random weights: a fixture, as nothing in the program takes such weights."""
    import torch
    from transformers import Dinov2Config, Dinov2Model

    folder = tmp_path_factory.mktemp("dinov2")
    torch.manual_seed(0)
    size = {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2}
    Dinov2Model(Dinov2Config(**size, image_size=56, patch_size=14)).save_pretrained(folder)
    return folder
