"""The base of data modules over shards: the data set, its splits, samplers, resuming."""

from __future__ import annotations

import logging
import multiprocessing
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import lightning
import torch
from torch.utils.data import DataLoader, Dataset

from capture import InputError
from training.data.prepared_index import Progress
from training.data.remote import fetch_description, fetch_shards, is_url
from training.data.samplers import EvaluationSampler, OrderedSampler, TrainingSampler
from training.data.shards import Split, read_splits

log = logging.getLogger(__name__)


class BaseDataModule(lightning.LightningDataModule, ABC):
    """A data set, what is prepared of it once, and loaders over that.

    A data set without a `val` split is validated on `test`: a checkpoint that was chosen by such a validation flatters
    its test result.

    Args:
        dataset: folder with `dataset.json` and its shards, or the URL of one.
        cache: folder for what is prepared once; `<dataset>/cache` where None. A URL needs one.
        workers: processes that load; any number.
        seed: of the training sampler.
    """

    UNIT = "heads"  # that are sampled

    def __init__(self, dataset: str, cache: str | None, workers: int, seed: int) -> None:
        super().__init__()
        if workers < 0 or seed < 0:
            raise InputError("`workers` and `seed` must not be negative")
        if is_url(dataset) and cache is None:
            raise InputError("`dataset` is a URL: name a folder for what is fetched and prepared with `cache`")
        self.source = dataset
        self.cache = Path(dataset) / "cache" if cache is None else Path(cache)
        self.dataset = self.cache / "dataset" if is_url(dataset) else Path(dataset)
        self.workers, self.seed = workers, seed
        self.progress: Progress | None = None
        self._splits: dict[str, Split] | None = None
        self._fetched: set[str] | None = None  # splits; None before dataset.json was
        self._sampler: TrainingSampler | None = None
        self._resumed: dict[str, Any] | None = None

    @abstractmethod
    def prepare_split(self, name: str, command: str | None, progress: Progress | None) -> Any:
        """Make what the cache lacks of a split for a command, and open it; quick where nothing lacks."""

    @abstractmethod
    def count(self, name: str) -> int:
        """The number of samples in a split, once it was prepared."""

    def prepare_data(self) -> None:
        """Make what the cache lacks. Raises `InputError` where the data set is missing or damaged."""
        self.prepare(None if self.trainer is None or self.trainer.state.fn is None else self.trainer.state.fn.value)

    def prepare(self, command: str | None) -> None:
        """Make what the cache lacks for a command of the trainer; for all of them where None."""
        self.fetch(lambda: self._needed(command))
        for name in self._needed(command):
            self.prepare_split(name, command, self.progress)

    def fetch(self, needed: Callable[[], list[str]]) -> None:
        """Copy what lacks of the splits that are needed where the data set is behind a URL.

        `dataset.json` is copied once: a run goes on with its splits where another takes its place at the URL.
        """
        if not is_url(self.source):
            return
        if self._fetched is None:
            fetch_description(self.source, self.dataset)
            self._splits, self._fetched = None, set()  # those of an earlier copy
        lacking = [name for name in needed() if name not in self._fetched]
        fetch_shards(self.source, [self.splits()[name] for name in lacking if name in self.splits()], self.progress)
        self._fetched.update(lacking)

    def setup(self, stage: str) -> None:
        """Open what was prepared of the splits that the stage needs."""
        stage = getattr(stage, "value", stage)
        if self.trainer is not None:
            self.agree(stage, self.trainer.strategy.broadcast)
        for name in self._needed(stage):
            self.prepare_split(name, stage, None)

    def agree(self, stage: str, broadcast: Callable[[Any], Any]) -> None:
        """Take the splits that a stage needs of the first process, whatever was packed since it has read them."""
        self._splits = broadcast(self.splits())

    def splits(self) -> dict[str, Split]:
        """The splits of the data set, read once: a run goes on with them where a data set that grew takes its place."""
        if self._splits is None:
            self._splits = self.read_splits()
        return self._splits

    def read_splits(self) -> dict[str, Split]:
        """The splits as they are used, of `dataset.json`."""
        return read_splits(self.dataset, check=False)

    def check_processes(self, world: int) -> None:
        """Raise `InputError` unless each of so many processes gets something to train on."""
        self._training_sampler(0, world)

    def state_dict(self) -> dict[str, Any]:
        """State of the training sampler: a checkpoint holds it."""
        module: Any = None if self.trainer is None else self.trainer.lightning_module
        return {} if self._sampler is None else self._sampler.state(getattr(module, "position", None))

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there when training starts."""
        self._resumed = state_dict or None

    def training_loader(self, dataset: Dataset, batch_size: int | None = None) -> DataLoader:
        """Batches of the train split, shuffled by seed and epoch; behind where it was, if resumed."""
        sampler = self._sampler = self._training_sampler(*self._rank())
        if self._resumed is not None:
            sampler.resume(self._resumed)
            self._resumed = None
        left = sampler.count % sampler.world
        if left and sampler.rank == 0:
            text = "%d of %d %s wait for another epoch: they don't divide by the processes"
            log.info(text, left, sampler.count, self.UNIT)
        return self._loader(dataset, sampler, batch_size)

    def evaluation_loader(self, name: str, dataset: Dataset, batch_size: int | None = None) -> DataLoader:
        """Batches of a split, in the order of the data set."""
        return self._loader(dataset, EvaluationSampler(self.count(name), *self._rank()), batch_size)

    def validation_split(self) -> str:
        """`val` where there is one, else `test`."""
        splits = self.splits()
        return "val" if "val" in splits and splits["val"].ids else "test"

    def validates(self) -> bool:
        """Whether there are heads to validate on."""
        splits = self.splits()
        return any(splits[name].ids for name in ("val", "test") if name in splits)

    def split(self, name: str) -> Split:
        """Raises `InputError` where it is missing or empty."""
        splits = self.splits()
        if name not in splits or not splits[name].ids:
            raise InputError(f"{self.dataset / 'dataset.json'} has no {name} heads; pack more captures")
        return splits[name]

    def _training_sampler(self, rank: int, world: int) -> TrainingSampler:
        overfits = self.trainer is not None and self.trainer.overfit_batches > 0  # type: ignore[attr-defined]
        kind = OrderedSampler if overfits else TrainingSampler
        return kind(self.count("train"), self.seed, rank, world, self.UNIT)

    def _loader(
        self, dataset: Dataset, sampler: TrainingSampler | EvaluationSampler, batch_size: int | None
    ) -> DataLoader:
        generator = torch.Generator().manual_seed(self.seed)
        workers = min(self.workers, len(sampler))
        options: dict[str, Any] = {}
        if workers:
            options = {"multiprocessing_context": _clean_processes(), "persistent_workers": True}
            options |= {"num_workers": workers, "worker_init_fn": _leave_signals_to_the_parent}
        return DataLoader(dataset, batch_size=batch_size, sampler=sampler, generator=generator, **options)

    def _rank(self) -> tuple[int, int]:
        """Number of this process, and of all."""
        return (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)

    def _needed(self, command: str | None) -> list[str]:
        """Splits of a command; all where there is none."""
        if command is None:
            return list(self.splits())
        if command == "fit":
            return ["train", *([self.validation_split()] if self.validates() else [])]
        return [self.validation_split()] if command == "validate" else ["test"]


def _clean_processes() -> BaseContext:
    """The way to start loaders: not by forking a process with threads, which hangs once in some thousand times."""
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(["training.cli"])  # once for all loaders: it takes seconds
    return context


def _leave_signals_to_the_parent(worker: int) -> None:
    """Ctrl-C reaches all processes; a loader has to go on until the run has saved where it was."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
