"""Checkpoints made small enough to give away."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import torch

from capture import InputError, write_bytes
from training.checkpoints.averaging import average_weights
from training.checkpoints.labeller import load_labeller, read_checkpoint

log = logging.getLogger(__name__)

_NEEDED = ("labeller", "hyper_parameters", "state_dict", "pytorch-lightning_version")
_STATISTICS = ("_mean", "_deviation")  # ends of the names of buffers: a few numbers, of any size


def export_checkpoint(
    path: Path, out: Path, calibration: Path | None = None, start: str | None = None, start_share: float = 0.5
) -> Path:
    """Write a checkpoint without what only training needs, weights in half precision; returns `out`.

    It is read like any other, and can't be trained on.

    Args:
        path: checkpoint.
        out: file to write.
        calibration: data set whose heads calibrate it anew, those that it wasn't trained on.
        start: checkpoint that it was trained from, or `pretrained`: the weights become an average of both.
        start_share: of the latter's in the average.

    Raises:
        InputError: where `path` is no labeller's checkpoint, `out` is the same file, the data set has too few heads, or
            `start` is not what it was trained from.
    """
    if out.suffix != ".ckpt":
        raise InputError(f"`out` {out}: a checkpoint ends with .ckpt")
    value = read_checkpoint(path)
    labeller = load_labeller(path)  # what doesn't load is not given away
    if out.exists() and out.samefile(path):
        raise InputError(f"`out` {out} is the checkpoint itself; name another file")
    if start is not None:
        value["state_dict"] = average_weights(value, path, start, start_share)
        labeller.load_state_dict(value["state_dict"])
    if calibration is not None:
        from training.checkpoints.calibrating import calibrate

        value["labeller"]["calibration"] = calibrate(labeller, calibration).to_json()
    kept = {name: value[name] for name in _NEEDED if name in value}
    kept["state_dict"] = {
        name: weights if name.endswith(_STATISTICS) or not weights.is_floating_point() else _halved(name, weights)
        for name, weights in value["state_dict"].items()
    }
    buffer = io.BytesIO()
    torch.save(kept, buffer)
    write_bytes(out, buffer.getvalue())
    log.info("%s: %.1f MB of %.1f", out, out.stat().st_size / 1e6, Path(path).stat().st_size / 1e6)
    return out


def _halved(name: str, weights: torch.Tensor) -> torch.Tensor:
    half = weights.half()
    if not half.isfinite().all():
        raise InputError(f"{name} has weights that half precision can't hold; did training diverge?")
    return half
