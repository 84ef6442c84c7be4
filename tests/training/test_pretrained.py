"""Checkpoints that are given away, and the one that comes with the program."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from training_toy import write_capture

from capture import InputError
from training.checkpoint import read_checkpoint
from training.cli import main
from training.pretrained import export_checkpoint
from training.segment import segment_capture


@pytest.fixture
def checkpoint(fitted) -> Path:
    return fitted[0] / "checkpoints" / "best.ckpt"


def test_an_exported_checkpoint_is_small_and_says_the_same(checkpoint: Path, tmp_path: Path) -> None:
    small = export_checkpoint(checkpoint, tmp_path / "small.ckpt")
    assert small.stat().st_size < 0.5 * checkpoint.stat().st_size
    capture = write_capture(tmp_path / "toy_7", 7)
    ours, theirs = (segment_capture(capture, path) for path in (small, checkpoint))
    assert np.abs(ours.probability - theirs.probability).max() < 0.01
    assert read_checkpoint(small)["labeller"] == read_checkpoint(checkpoint)["labeller"]


def test_nothing_goes_on_from_an_exported_checkpoint(checkpoint: Path, tmp_path: Path, capsys) -> None:
    small = export_checkpoint(checkpoint, tmp_path / "small.ckpt")
    assert main(["fit", "--data.dataset", str(tmp_path), "--ckpt_path", str(small)]) == 2
    assert "nothing to go on training from" in capsys.readouterr().err


def test_what_is_not_exported(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is the checkpoint itself"):
        export_checkpoint(checkpoint, checkpoint)
    value = read_checkpoint(checkpoint)
    name = next(name for name in value["state_dict"] if name.endswith("weight"))
    value["state_dict"][name] = value["state_dict"][name] + 1e6
    torch.save(value, tmp_path / "diverged.ckpt")
    with pytest.raises(InputError, match="half precision can't hold"):
        export_checkpoint(tmp_path / "diverged.ckpt", tmp_path / "small.ckpt")
    assert not (tmp_path / "small.ckpt").exists()
