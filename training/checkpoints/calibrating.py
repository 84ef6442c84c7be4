"""Calibrating a labeller by heads that it wasn't trained on, whenever it was trained."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from capture import InputError
from training.data.batch import to_batch
from training.data.shards import read_heads, read_splits
from training.model.calibration import Calibration
from training.model.metrics import LabelMetrics
from training.model.network import LabellerNetwork
from training.preparation.prepare import prepare_head

log = logging.getLogger(__name__)

_SPLITS = ("val", "train")  # never test heads: they tell what it is worth


def calibrate(labeller: LabellerNetwork, dataset: Path, cache: Path | None = None) -> Calibration:
    """The calibration of a labeller by the `train` and `val` heads of a data set that it wasn't trained on.

    Args:
        labeller: its own calibration has no part in it.
        dataset: folder with `dataset.json` and its shards.
        cache: folder for prepared heads; `<dataset>/cache` where None.

    Raises:
        InputError: where there are fewer than three such heads, or one can't be prepared.
    """
    assert labeller.preparation is not None
    splits, metrics, count = read_splits(dataset), LabelMetrics(labeller.output_weights), 0
    for shard in (shard for name in _SPLITS if name in splits for shard in splits[name].shards):
        for head in read_heads(shard):
            if head.id in labeller.training_ids:
                continue
            prepared = prepare_head(head, labeller.preparation, Path(dataset) / "cache" if cache is None else cache)
            batch = to_batch(prepared)
            with torch.inference_mode():
                outputs = labeller(batch)
            assert batch.targets is not None
            metrics.update(outputs, batch.targets, torch.tensor(0.0))
            count += 1
            log.info("measured %d heads: %s", count, head.id)
    found = metrics.calibrate(Calibration())
    if found == Calibration():
        raise InputError(
            f"`calibrate` {dataset}: {count} heads that the labeller wasn't trained on, three or more with skin and "
            "other vertices are needed"
        )
    return found
