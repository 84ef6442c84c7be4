"""Reading the per-image segmenter's checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.checkpoints.files import read_checkpoint_file
from training.pixels.module import KEY, check_description


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The tensors and plain values of a checkpoint. Raises `InputError` where it is missing or holds anything else."""
    value = read_checkpoint_file(path, KEY, "a per-image segmenter", "train one with `python -m training.pixels fit`")
    check_description(value[KEY], str(path))
    return value
