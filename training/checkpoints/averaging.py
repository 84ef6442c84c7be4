"""Averages of the weights of a labeller and of the one that its training started from.

A network that was tuned on other data is better on these and forgets some of what it knew; weights between the two keep
most of both (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from capture import InputError
from training.checkpoints.labeller import read_checkpoint
from training.checkpoints.start import start_path
from training.preparation.settings import Preparation

_STATISTICS = ("feature_mean", "feature_deviation")


def average_weights(value: dict[str, Any], path: Path, start: str, share: float) -> dict[str, torch.Tensor]:
    """The weights of a checkpoint, moved by `share` towards those of the one that it was trained from.

    Args:
        value: what the checkpoint holds.
        path: of it, for errors.
        start: as `SkinLabeller`'s: path of the other checkpoint, or `pretrained`.
        share: of the other's weights in the average, 0 to 1.

    Raises:
        InputError: where `start` is no labeller's checkpoint, or not one that the other was trained from.
    """
    if not 0 <= share <= 1:
        raise InputError(f"`start_share` {share}: a share between 0 and 1")
    former = read_checkpoint(start_path(start))
    tuned, known = value["state_dict"], former["state_dict"]
    if _kind(value) != _kind(former) or not all(torch.equal(tuned[name], known[name]) for name in _STATISTICS):
        raise InputError(f"`start` {start}: {path} was not trained from it; weights of other networks have no average")
    return {
        name: torch.lerp(weights.float(), known[name].float(), share) if weights.is_floating_point() else weights
        for name, weights in tuned.items()
    }


def _kind(value: dict[str, Any]) -> tuple[Preparation, dict[str, torch.Size]]:
    """The features and the shapes of the weights of a checkpoint."""
    shapes = {name: weights.shape for name, weights in value["state_dict"].items()}
    return Preparation.from_json(value["labeller"].get("preparation")), shapes
