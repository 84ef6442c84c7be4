"""A data set as batches of one head each."""

from __future__ import annotations

import logging
import multiprocessing
import signal
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import lightning
import torch
from torch.utils.data import DataLoader, Dataset

from capture import InputError
from training.batch import HeadBatch, to_batch
from training.features import FeatureConfig
from training.features.backbone import Backbone
from training.features.extract import input_channels
from training.index import Index, Progress, Statistics, prepare_split, read_statistics
from training.order import Draw, EvaluationOrder, TrainingOrder
from training.prepare import Preparation
from training.remote import fetch_dataset, is_url
from training.shards import Split, read_splits
from training.simplify import Simplified

log = logging.getLogger(__name__)

_FEATURES = FeatureConfig()


class PreparedHeads(Dataset):
    """The prepared heads of a split, drawn by number.

    Args:
        split: which heads.
        index: where their files are.
        whole: add all vertices of the scans, for answers and metrics there.
    """

    def __init__(self, split: Split, index: Index, whole: bool = False) -> None:
        self.split, self.index, self.whole = split, index, whole

    def __len__(self) -> int:
        return len(self.split.ids)

    def __getitem__(self, draw: Draw) -> HeadBatch:
        name = self.split.ids[draw.index]
        batch = to_batch(self.index.load(name), self.index.load_whole(name) if self.whole else None)
        batch.ticket, batch.counted = draw.ticket, draw.counted
        return batch


class HeadData(lightning.LightningDataModule):
    """A data set of heads and how they are prepared.

    A data set without a `val` split is validated on `test`: a checkpoint that was chosen by such a validation flatters
    its test result.

    Args:
        dataset: folder with `dataset.json` and its shards, or the URL of one.
        cache: folder for what is prepared once; `<dataset>/cache` where None. A URL needs one.
        features: at each vertex.
        vertices: scans are simplified to at most so many.
        test_vertices: the same for `test` and `predict`, which work on all vertices of most scans that way; as
            `vertices` where None. Answers and metrics are at all vertices of the scans in any case.
        eigenpairs: K of the operators.
        workers: processes that load; any number.
        seed: of the order of the training heads.
        heads: train on the first so many heads only; on all where None. For the curve over the size of the data set.
    """

    def __init__(
        self,
        dataset: str,
        cache: str | None = None,
        features: FeatureConfig = _FEATURES,
        vertices: int = 20000,
        test_vertices: int | None = 250_000,
        eigenpairs: int = 128,
        workers: int = 0,
        seed: int = 0,
        heads: int | None = None,
    ) -> None:
        super().__init__()
        if workers < 0 or seed < 0:
            raise InputError("data.workers and data.seed must not be negative")
        if is_url(dataset) and cache is None:
            raise InputError("data.dataset is a URL: name a folder for what is fetched and prepared with --data.cache")
        self.source = dataset
        self.cache = Path(dataset) / "cache" if cache is None else Path(cache)
        self.dataset = self.cache / "dataset" if is_url(dataset) else Path(dataset)
        self.preparation = Preparation(features, vertices, eigenpairs)
        self.test_vertices = test_vertices
        self.workers, self.seed, self.heads = workers, seed, heads
        self.progress: Progress | None = None
        self._indices: dict[str, Index] = {}
        self._order: TrainingOrder | None = None
        self._resumed: dict[str, Any] | None = None

    def prepare_data(self) -> None:
        """Make what the cache lacks. Raises `InputError` where the data set is missing or damaged."""
        self.prepare(None if self.trainer is None or self.trainer.state.fn is None else self.trainer.state.fn.value)

    def prepare(self, command: str | None) -> None:
        """Make what the cache lacks for a command of the trainer; for all of them where None."""
        if is_url(self.source):
            fetch_dataset(self.source, self.dataset, lambda: self._needed(command), self.progress)
        for name in self._needed(command):
            prepare_split(self._split(name), self.preparation_of(name, command), self.cache, self.progress)

    def check_processes(self, world: int) -> None:
        """Raise `InputError` unless each of so many processes gets a head to train on."""
        TrainingOrder(len(self._split("train").ids), self.seed, 0, world)

    def setup(self, stage: str) -> None:
        """Find the prepared files of the splits that the stage needs."""
        stage = getattr(stage, "value", stage)
        for name in self._needed(stage):
            self._indices[name] = prepare_split(self._split(name), self.preparation_of(name, stage), self.cache)

    def preparation_of(self, name: str, command: str | None) -> Preparation:
        """How the heads of a split are prepared for a command."""
        if command in ("test", "predict") and self.test_vertices is not None:
            return Preparation(self.preparation.features, self.test_vertices, self.preparation.eigenpairs)
        return self.preparation

    def mesh(self, name: str) -> Simplified:
        """The simplified scan of a validation head."""
        return self._indices[self._validation()].load_mesh(name)

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
        split = self._split("train")
        self._order = TrainingOrder(len(split.ids), self.seed, *self._rank())
        if self._resumed is not None:
            self._order.resume(self._resumed)
            self._resumed = None
        if len(split.ids) % self._order.world and self._order.rank == 0:
            left = len(split.ids) % self._order.world
            log.info("%d of %d heads wait for another epoch: they don't divide by the processes", left, len(split.ids))
        return self._loader("train", self._order, whole=False)

    def val_dataloader(self) -> DataLoader:
        return self._evaluation(self._validation(), whole=False)

    def test_dataloader(self) -> DataLoader:
        return self._evaluation("test", whole=True)

    def predict_dataloader(self) -> DataLoader:
        return self._evaluation("test", whole=True)

    def state_dict(self) -> dict[str, Any]:
        """Where the run is in the order of the training heads: a checkpoint carries it."""
        module: Any = None if self.trainer is None else self.trainer.lightning_module
        return {} if self._order is None else self._order.state(getattr(module, "position", None))

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there when training starts."""
        self._resumed = state_dict or None

    def _evaluation(self, name: str, whole: bool) -> DataLoader:
        return self._loader(name, EvaluationOrder(len(self._split(name).ids), *self._rank()), whole)

    def _loader(self, name: str, order: TrainingOrder | EvaluationOrder, whole: bool) -> DataLoader:
        heads = PreparedHeads(self._split(name), self._indices[name], whole)
        generator = torch.Generator().manual_seed(self.seed)
        workers = min(self.workers, len(order))
        options: dict[str, Any] = {}
        if workers:
            options = {"multiprocessing_context": _clean_processes(), "persistent_workers": True}
            options |= {"num_workers": workers, "worker_init_fn": _leave_signals_to_the_parent}
        return DataLoader(heads, batch_size=None, sampler=order, generator=generator, **options)

    def _rank(self) -> tuple[int, int]:
        """Number of this process, and of all."""
        return (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)

    def _needed(self, command: str | None) -> list[str]:
        """Splits of a command; all where there is none."""
        if command is None:
            return list(read_splits(self.dataset, check=False))
        if command == "fit":
            return ["train", self._validation()]
        return [self._validation()] if command == "validate" else ["test"]

    def _validation(self) -> str:
        splits = read_splits(self.dataset, check=False)
        return "val" if "val" in splits and splits["val"].ids else "test"

    def _split(self, name: str) -> Split:
        splits = read_splits(self.dataset, check=False)
        if name not in splits or not splits[name].ids:
            raise InputError(f"{self.dataset / 'dataset.json'} has no {name} heads; pack more captures")
        return splits[name].first(self.heads) if name == "train" and self.heads is not None else splits[name]

    def training_heads(self) -> int:
        """How many heads are trained on."""
        return len(self._split("train").ids)


def _clean_processes() -> BaseContext:
    """How loaders are started: not by forking a process with threads, which hangs once in some thousand times."""
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(["training.cli"])  # once for all loaders: it takes seconds
    return context


def _leave_signals_to_the_parent(worker: int) -> None:
    """Ctrl-C reaches all processes; a loader has to go on until the run has saved where it was."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
