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
from training.model.reliability import LEAST_HEADS
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
    splits = [split for name, split in read_splits(dataset).items() if name in _SPLITS]
    chosen = {name for split in splits for name in split.ids} - set(labeller.training_ids)
    _refuse_few(dataset, len(chosen) < LEAST_HEADS, len(chosen))
    metrics, count = LabelMetrics(labeller.output_weights), 0
    for shard in (shard for split in splits for shard in split.shards):
        for head in read_heads(shard):
            if head.id not in chosen:
                continue
            prepared = prepare_head(head, labeller.preparation, Path(dataset) / "cache" if cache is None else cache)
            batch = to_batch(prepared)
            with torch.inference_mode():
                outputs = labeller(batch)
            assert batch.targets is not None
            metrics.update(outputs, batch.targets, torch.tensor(0.0))
            count += 1
            log.info("measured %d of %d heads: %s", count, len(chosen), head.id)
    found = metrics.calibrate(Calibration())
    _refuse_few(dataset, found == Calibration(), count)
    return found


def _refuse_few(dataset: Path, few: bool, count: int) -> None:
    if few:
        raise InputError(
            f"`calibrate` {dataset}: {count} heads that the labeller wasn't trained on; {LEAST_HEADS} or more, with "
            "skin and other vertices, are needed"
        )
