"""Shards as batches of one head each."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import lightning
import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from capture import InputError
from training.batch import HeadBatch, to_batch
from training.features import FeatureConfig
from training.features.backbone import Backbone
from training.features.extract import input_channels
from training.index import Index, Progress, Statistics, prepare_split, read_statistics
from training.prepare import Preparation
from training.shards import Split, read_samples, read_splits

log = logging.getLogger(__name__)

_INFO = ".capture.json"
_FEATURES = FeatureConfig()


class HeadStream(IterableDataset):
    """The prepared heads of a split, streamed in the order of its shards or shuffled.

    The order of an epoch is a function of the seed and of the number of the epoch.
    """

    def __init__(self, split: Split, index: Index, seed: int | None = None) -> None:
        self.split, self.index, self.seed = split, index, seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.split.ids)

    def __iter__(self) -> Iterator[HeadBatch]:
        names = list(self._names())
        if self.seed is not None:
            worker = get_worker_info()
            turn = self.epoch if worker is None else worker.seed - worker.id  # a new one every epoch
            self.epoch += 1
            np.random.default_rng([self.seed, turn]).shuffle(names)
        for name in names:
            yield to_batch(self.index.load(name))

    def _names(self) -> Iterator[str]:
        """Ids of the heads in this worker's shards; of the tars only the small members are read."""
        worker = get_worker_info()
        count, number = (1, 0) if worker is None else (worker.num_workers, worker.id)
        if torch.distributed.is_initialized():
            number += count * torch.distributed.get_rank()
            count *= torch.distributed.get_world_size()
        for shard in self.split.shards[number::count]:
            for sample in read_samples(shard, lambda name: name.endswith(_INFO)):
                yield str(sample["__key__"])


class HeadData(lightning.LightningDataModule):
    """A data set of heads and how they are prepared.

    A data set without a `val` split is validated on `test`: a checkpoint that was chosen by such a validation flatters
    its test result.

    Args:
        dataset: folder with `dataset.json` and its shards.
        cache: folder for what is prepared once; `<dataset>/cache` where None.
        features: at each vertex.
        vertices: scans are simplified to at most so many.
        eigenpairs: K of the operators.
        workers: processes that load; at most as many as a split has shards are of use.
        seed: of the order of the training heads.
    """

    def __init__(
        self,
        dataset: str,
        cache: str | None = None,
        features: FeatureConfig = _FEATURES,
        vertices: int = 20000,
        eigenpairs: int = 128,
        workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.dataset = Path(dataset)
        self.cache = self.dataset / "cache" if cache is None else Path(cache)
        self.preparation = Preparation(features, vertices, eigenpairs)
        self.workers, self.seed = workers, seed
        self.progress: Progress | None = None
        self._indices: dict[str, Index] = {}

    def prepare_data(self) -> None:
        """Make what the cache lacks. Raises `InputError` where the data set is missing or damaged."""
        for name in self._needed():
            prepare_split(self._split(name), self.preparation, self.cache, self.progress)

    def setup(self, stage: str) -> None:
        """Find the prepared files of the splits that the stage needs."""
        for name in self._needed():
            self._indices[name] = prepare_split(self._split(name), self.preparation, self.cache)

    def channels(self) -> list[str]:
        """The feature that each input channel belongs to."""
        return input_channels(self.preparation.features)

    def token_channels(self) -> int:
        """Channels of the token maps that the image head takes in; 0 without it."""
        features = self.preparation.features
        return Backbone(features.backbone).channels if features.image_head else 0

    def token_statistics(self) -> Statistics:
        """Of the token maps of training heads."""
        return self._indices["train"].token_statistics()

    def statistics(self) -> Statistics:
        """Of the training heads."""
        return read_statistics(self._split("train"), self.preparation, self.cache)

    def train_dataloader(self) -> DataLoader:
        return self._loader("train", self.seed)

    def val_dataloader(self) -> DataLoader:
        return self._loader(self._validation())

    def test_dataloader(self) -> DataLoader:
        return self._loader("test")

    def predict_dataloader(self) -> DataLoader:
        return self._loader("test")

    def _loader(self, name: str, seed: int | None = None) -> DataLoader:
        stream = HeadStream(self._split(name), self._indices[name], seed)
        generator = torch.Generator().manual_seed(self.seed)
        workers = min(self.workers, len(stream.split.shards))
        return DataLoader(stream, batch_size=None, num_workers=workers, generator=generator)

    def _needed(self) -> list[str]:
        """Splits of the running command; all where there is no trainer."""
        command = self.trainer.state.fn if self.trainer is not None else None
        if command == "fit":
            return ["train", self._validation()]
        if command == "validate":
            return [self._validation()]
        return ["test"] if command else list(read_splits(self.dataset))

    def _validation(self) -> str:
        splits = read_splits(self.dataset)
        return "val" if "val" in splits and splits["val"].ids else "test"

    def _split(self, name: str) -> Split:
        splits = read_splits(self.dataset)
        if name not in splits or not splits[name].ids:
            raise InputError(f"{self.dataset / 'dataset.json'} has no {name} heads; pack more captures")
        return splits[name]
