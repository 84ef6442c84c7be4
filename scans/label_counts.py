"""Metrics of a binary labelling against true labels: IoU, precision, recall, accuracy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class BinaryScores:
    """Intersection over union per class and their mean, precision and recall per class, and the share of equal labels.

    NaN where a class that nobody has would be divided by.
    """

    iou_skin: float
    iou_other: float
    miou: float
    accuracy: float
    precision_skin: float
    recall_skin: float
    precision_other: float
    recall_other: float


@dataclass(frozen=True)
class Counts:
    """Confusion matrix: vertices by predicted and true label; adds up over heads."""

    true_skin: int = 0
    false_skin: int = 0
    missed_skin: int = 0
    true_other: int = 0

    @classmethod
    def of(cls, predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> Self:
        """Of (V,) predicted labels beside (V,) true ones; raises `ValueError` where the lengths differ."""
        predicted, true = np.asarray(predicted, bool), np.asarray(true, bool)
        if predicted.shape != true.shape:
            raise ValueError(f"{predicted.shape} predictions for {true.shape} labels")
        both = int((predicted & true).sum())
        false, missed = int(predicted.sum()) - both, int(true.sum()) - both
        return cls(both, false, missed, true.size - both - false - missed)

    @classmethod
    def total(cls, counts: Iterable[Counts]) -> Self:
        """Sum over heads."""
        return cls(*_summed(map(astuple, counts)))

    def scores(self) -> BinaryScores:
        """The scores that follow from the counts."""
        a, b, c, d = astuple(self)
        skin, other = _ratio(a, a + b + c), _ratio(d, b + c + d)
        present = [value for value in (skin, other) if not np.isnan(value)]
        mean = float(np.mean(present)) if present else float("nan")
        return BinaryScores(
            skin,
            other,
            mean,
            _ratio(a + d, a + b + c + d),
            _ratio(a, a + b),
            _ratio(a, a + c),
            _ratio(d, c + d),
            _ratio(d, b + d),
        )


def binary_scores(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> BinaryScores:
    """Scores of (V,) predicted labels against (V,) true ones; raises `ValueError` where the lengths differ."""
    return Counts.of(predicted, true).scores()


def _summed(rows: Iterable[tuple[int, ...]]) -> list[int]:
    """The sums of the columns of rows of four numbers."""
    return [int(value) for value in np.sum([*rows] or [(0, 0, 0, 0)], axis=0)]


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


@dataclass(frozen=True)
class FlagCounts:
    """Vertices that a method flags as uncertain, and the mistakes among them; adds up over heads."""

    vertices: int = 0
    flagged: int = 0
    wrong: int = 0
    wrong_flagged: int = 0

    @classmethod
    def of(cls, flagged: NDArray[np.bool_], wrong: NDArray[np.bool_]) -> Self:
        """Of (V,) flags beside (V,) mistakes."""
        return cls(len(wrong), int(flagged.sum()), int(wrong.sum()), int((flagged & wrong).sum()))

    @classmethod
    def total(cls, counts: Iterable[FlagCounts]) -> Self:
        """Sum over heads."""
        return cls(*_summed(map(astuple, counts)))

    @property
    def share(self) -> float:
        """Of the vertices that are flagged."""
        return _ratio(self.flagged, self.vertices)

    @property
    def mistakes(self) -> float:
        """Share of the mistakes that are flagged."""
        return _ratio(self.wrong_flagged, self.wrong)
