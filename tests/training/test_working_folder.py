"""Training imports no file of the folder that it is run in; loaders of data are processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.decoys import imported, write_decoys
from tests.training.conftest import OPTIONS, REPO


@pytest.mark.slow
def test_training_with_loaders(dataset: Path, tmp_path: Path) -> None:
    config = tmp_path / "toy.yaml"
    config.write_text(json.dumps(OPTIONS))
    told = write_decoys(tmp_path / "here", leave_out=("training",))
    options = ("--config", config, "--data.dataset", dataset, "--data.workers", 1, "--trainer.max_epochs", 1)
    command = [
        sys.executable,
        "-m",
        "training",
        "fit",
        *map(str, options),
        "--trainer.default_root_dir",
        str(tmp_path / "run"),
    ]
    environment = os.environ | {"PYTHONPATH": str(REPO)}
    done = subprocess.run(
        command, cwd=tmp_path / "here", env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0 and (tmp_path / "run" / "checkpoints" / "last.ckpt").is_file(), done.stderr[-2000:]
    assert imported(told) == []
