"""Samplers: the samples of each step and process, a function of the seed and the epoch alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler, SequentialSampler

from capture import InputError


@dataclass(frozen=True)
class SampleIndex:
    """The sample of one step.

    Attributes:
        index: of the sample in its split.
        position: (epoch, step of the epoch) while training, else None.
        counted: False for a sample that only keeps the processes in step.
    """

    index: int
    position: tuple[int, int] | None = None
    counted: bool = True


class TrainingSampler(Sampler):
    """Samples shuffled anew every epoch, dealt out to the processes in turn.

    Each process takes the same number of steps: where the samples don't divide, the last ones of an epoch wait for
    another epoch. An epoch that was stopped goes on where it was.

    Args:
        count: samples.
        seed: of the shuffling.
        rank: of this process.
        world: number of processes.
        unit: the samples' name in errors.

    Raises:
        InputError: where there are fewer samples than processes.
    """

    def __init__(self, count: int, seed: int, rank: int = 0, world: int = 1, unit: str = "heads") -> None:
        if count < world:
            cure = "each needs one; use fewer trainer.devices"
            raise InputError(f"{count} training {unit} for {world} processes: {cure}")
        self.count, self.seed, self.rank, self.world, self.unit = count, seed, rank, world, unit
        self.epoch, self.start = 0, 0

    def __len__(self) -> int:
        """Steps of a whole epoch."""
        return self.count // self.world

    def __iter__(self) -> Iterator[SampleIndex]:
        order = self._order()
        for step in range(self.start, len(self)):
            yield SampleIndex(int(order[step * self.world + self.rank]), (self.epoch, step))

    def _order(self) -> NDArray[np.int64]:
        return np.random.default_rng([self.seed, self.epoch]).permutation(self.count)

    def set_epoch(self, epoch: int) -> None:
        """Go to an epoch, to its beginning unless it is the one that was resumed. Lightning calls it."""
        if epoch != self.epoch:
            self.epoch, self.start = epoch, 0

    def resume(self, state: dict[str, Any]) -> None:
        """Go on behind the last step of `state`: `epoch`, `steps` of it that are done, `world`, `seed`, `heads`.

        Raises `InputError` where the rest of the epoch can't be told.
        """
        epoch, steps = int(state["epoch"]), int(state["steps"])
        ours = {"world": self.world, "seed": self.seed, "heads": self.count}
        if steps >= int(state["heads"]) // int(state["world"]):
            epoch, steps = epoch + 1, 0
        if steps:  # at the beginning of an epoch all may change
            texts = {"world": "processes", "seed": "`data.seed`", "heads": f"training {self.unit}"}
            for key, value in ours.items():
                if state[key] != value:
                    raise InputError(
                        f"the checkpoint is from the middle of an epoch with {texts[key]} = {state[key]}, now {value}: "
                        f"{self.unit} would be seen twice; resume as it was, or from the end of an epoch"
                    )
        self.epoch, self.start = epoch, steps

    def state(self, position: tuple[int, int] | None) -> dict[str, int]:
        """Argument of `resume`, after the step at `position`; None: no step was taken."""
        epoch, steps = (self.epoch, self.start) if position is None else (position[0], position[1] + 1)
        return {"epoch": epoch, "steps": steps, "world": self.world, "seed": self.seed, "heads": self.count}


class MixedSampler(TrainingSampler):
    """All samples of one data set in every epoch, and beside them as many of another as its share asks for.

    The samples of the other one take turns: each is drawn once before any is drawn again. They are counted on behind
    those of the first one.

    Args:
        count: samples of the first data set.
        others: samples of the other one.
        share: of the other one's samples in an epoch.
        seed, rank, world, unit: as of `TrainingSampler`.
    """

    def __init__(
        self, count: int, others: int, share: float, seed: int, rank: int = 0, world: int = 1, unit: str = "heads"
    ) -> None:
        self._own, self._others, self._drawn = count, others, max(1, round(count * share / (1 - share)))
        super().__init__(count + self._drawn, seed, rank, world, unit)

    def _order(self) -> NDArray[np.int64]:
        places = np.arange(self.epoch * self._drawn, (self.epoch + 1) * self._drawn)
        turns = range(places[0] // self._others, places[-1] // self._others + 1)
        every = [np.random.default_rng([self.seed, 1, turn]).permutation(self._others) for turn in turns]
        drawn = np.concatenate(every)[places - turns[0] * self._others]
        order = super()._order()
        return np.concatenate([np.arange(self._own), self._own + drawn])[order]


class OrderedSampler(TrainingSampler, SequentialSampler):  # type: ignore[misc]
    """The same samples in every epoch, in their order: Lightning's `overfit_batches` wants it.

    It replaces the sampler of a loader that isn't a `SequentialSampler`.
    """

    def _order(self) -> NDArray[np.int64]:
        return np.arange(self.count)


class EvaluationSampler(SequentialSampler):
    """Samples in order, dealt out to the processes in turn; those with none left repeat one that is not counted."""

    def __init__(self, count: int, rank: int = 0, world: int = 1) -> None:
        self.count, self.rank, self.world = count, rank, world

    def __len__(self) -> int:
        return -(-self.count // self.world)

    def __iter__(self) -> Iterator[SampleIndex]:  # type: ignore[override]
        for first in range(0, self.count, self.world):
            index = first + self.rank
            yield SampleIndex(index) if index < self.count else SampleIndex(self.count - 1, counted=False)
