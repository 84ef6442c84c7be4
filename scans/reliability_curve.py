"""Calibration of predicted probabilities: reliability curve and expected calibration error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

BINS = 20

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ReliabilityCurve:
    """Vertices in bins of equal width of the predicted probability of skin.

    Attributes:
        count: (BINS,) vertices.
        predicted: (BINS,) sum of their probabilities.
        skin: (BINS,) how many of them are skin.
    """

    count: Floats
    predicted: Floats
    skin: Floats

    @classmethod
    def of(cls, probability: NDArray, true: NDArray[np.bool_]) -> Self:
        """Of (V,) probabilities and (V,) labels."""
        skin = np.asarray(true, bool)
        return cls.of_counts(probability, ~skin, skin)

    @classmethod
    def of_counts(cls, probability: NDArray, others: NDArray, skin: NDArray) -> Self:
        """Of (K,) probabilities that so many vertices (K,) of either kind were given."""
        values, count = np.asarray(probability, np.float64), others.astype(float) + skin
        index = np.minimum((values * BINS).astype(int), BINS - 1)
        columns = count, count * values, skin
        return cls(*(np.bincount(index, column, BINS).astype(float) for column in columns))

    @classmethod
    def total(cls, parts: Iterable[ReliabilityCurve]) -> Self:
        """Of all heads together."""
        tables = [np.stack([each.count, each.predicted, each.skin]) for each in parts]
        return cls(*(np.sum(tables, axis=0) if tables else np.zeros((3, BINS))))

    @property
    def error(self) -> float:
        """Expected calibration error: mean |predicted probability - frequency of skin| (Naeini et al., AAAI 2015)."""
        total = self.count.sum()
        return float(np.abs(self.predicted - self.skin).sum() / total) if total else float("nan")

    def curve(self) -> tuple[Floats, Floats]:
        """Mean probability and frequency of skin of the bins that are not empty."""
        used = self.count > 0
        return self.predicted[used] / self.count[used], self.skin[used] / self.count[used]

    def to_json(self) -> dict[str, Any]:
        """Plain lists."""
        return {"count": self.count.tolist(), "said": self.predicted.tolist(), "skin": self.skin.tolist()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(*(np.array(value[name], float) for name in ("count", "said", "skin")))
