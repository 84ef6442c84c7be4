"""Statistics of the network's input channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Statistics:
    """Mean and standard deviation (C,) of each input channel over the vertices of the training heads."""

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]


class Moments:
    """Mean and variance of channels over many heads, merged pairwise (Chan et al. 1979): no cancellation."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: NDArray = np.zeros(0)
        self.square: NDArray = np.zeros(0)

    def add(self, features: NDArray) -> None:
        """Take in features (W, C)."""
        values = np.asarray(features, np.float64)
        count, mean = len(values), values.mean(axis=0)
        square = np.square(values - mean).sum(axis=0)
        if not self.count:
            self.count, self.mean, self.square = count, mean, square
            return
        total = self.count + count
        change = mean - self.mean
        self.square = self.square + square + np.square(change) * self.count * count / total
        self.mean = self.mean + change * count / total
        self.count = total

    def statistics(self) -> Statistics:
        """Of all that was taken in."""
        if not self.count:
            return Statistics(np.zeros(0, np.float32), np.zeros(0, np.float32))
        deviation = np.sqrt(self.square / self.count)
        deviation = np.where(deviation > 1e-6, deviation, 1)  # a constant channel stays as it is
        return Statistics(self.mean.astype(np.float32), deviation.astype(np.float32))
