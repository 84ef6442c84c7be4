"""Shared by the training tests."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.made_once import made_once
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
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess]:
    """The folder of a labeller with all heads trained on the toy data set, and the process that trained it."""
    root = made_once(tmp_path_factory, "fitted", _fit)
    return root, subprocess.CompletedProcess([], **json.loads((root / "process.json").read_text()))


def _fit(root: Path) -> None:
    config, data = root / "toy.yaml", toy.write_dataset(root / "dataset")
    config.write_text(json.dumps(OPTIONS))
    words = ("--data.dataset", str(data), "--data.cache", str(root / "cache"), "--trainer.default_root_dir", str(root))
    command = [sys.executable, "-m", "training", "fit", "--config", str(config), *words]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=300, check=False)
    told = {"returncode": done.returncode, "stdout": done.stdout, "stderr": done.stderr}
    (root / "process.json").write_text(json.dumps(told))


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
