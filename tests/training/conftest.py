"""Shared by the training tests."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training import toy

REPO = Path(__file__).resolve().parents[2]
OPTIONS = {
    "seed_everything": 0,
    "model": {"width": 16, "blocks": 2, "learning_rate": 0.01, "distance_weight": 0.1, "part_weight": 0.1},
    "data": {
        "features": {"names": ["colour", "visibility", "surface_variation"]},
        "vertices": 500,
        "eigenpairs": 16,
    },
    "trainer": {"max_epochs": 12, "accelerator": "cpu"},
}


@pytest.fixture(scope="session")
def fitted(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess]:
    """The folder of a labeller with all heads trained on the toy data set, and the process that trained it."""
    root = tmp_path_factory.mktemp("run")
    config = root / "toy.yaml"
    config.write_text(json.dumps(OPTIONS))
    folder = ("--trainer.default_root_dir", str(root))
    data = (
        "--data.dataset",
        str(dataset),
        "--data.cache",
        str(root / "cache"),
    )  # other tests fill that of the data set
    command = [sys.executable, "-m", "training", "fit", "--config", str(config), *data, *folder]
    return root, subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=300, check=False)


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
