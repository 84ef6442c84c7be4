"""Errors of labels by distance to the boundary between skin and the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

# Millimetres: bands around the boundary between skin and the rest; the last one is open.
EDGES_MM = (0.0, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0)


@dataclass(frozen=True, eq=False)
class BoundaryErrors:
    """Vertices and wrong labels in bands around the true boundary.

    Attributes:
        count: (B,) vertices between neighbouring `EDGES_MM`, and beyond the last.
        wrong: (B,) those of them that are labelled wrongly.
    """

    count: NDArray[np.int64]
    wrong: NDArray[np.int64]

    @classmethod
    def of(cls, predicted: NDArray[np.bool_], true: NDArray[np.bool_], boundary_mm: NDArray) -> Self:
        """Of (V,) labels, (V,) true ones and (V,) distances to the true boundary."""
        band = np.searchsorted(EDGES_MM, np.asarray(boundary_mm, float), side="right") - 1
        wrong = np.asarray(predicted, bool) != np.asarray(true, bool)
        return cls(np.bincount(band, minlength=len(EDGES_MM)), np.bincount(band[wrong], minlength=len(EDGES_MM)))

    @classmethod
    def total(cls, parts: Iterable[BoundaryErrors]) -> Self:
        """Of all heads together."""
        tables = [np.stack([each.count, each.wrong]) for each in parts]
        return cls(*(np.sum(tables, axis=0) if tables else np.zeros((2, len(EDGES_MM)), np.int64)))

    def share(self) -> NDArray[np.float64]:
        """(B,) fraction of wrong labels; NaN in empty bands."""
        return np.divide(self.wrong, self.count, out=np.full(len(self.count), np.nan), where=self.count > 0)

    def within(self, limit_mm: float) -> float:
        """Fraction of wrong labels nearer than one of `EDGES_MM`; NaN where no vertex is."""
        bands = EDGES_MM.index(limit_mm)
        count = int(self.count[:bands].sum())
        return int(self.wrong[:bands].sum()) / count if count else float("nan")

    def to_json(self) -> dict[str, Any]:
        """Plain lists."""
        return {"count": self.count.tolist(), "wrong": self.wrong.tolist()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(np.array(value["count"], np.int64), np.array(value["wrong"], np.int64))
