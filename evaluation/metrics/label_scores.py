"""Scores of the labels of one head: all metrics, in a form that is kept in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from capture import Labels
from evaluation.metrics.boundary import BoundaryErrors
from scans.label_counts import Counts, FlagCounts
from scans.reliability_curve import ReliabilityCurve


@dataclass(frozen=True, eq=False)
class LabelScores:
    """Scores of a head's labels.

    Attributes:
        counts: confusion matrix of all vertices.
        boundary: errors around the true boundary.
        calibration: of the probabilities; None where they are 0 and 1 alone.
        seen: `PixelClass` id -> vertices that show it, those of them labelled skin, and those that are.
        flags: of the labels that the method calls uncertain; None where it calls none so.
    """

    counts: Counts
    boundary: BoundaryErrors
    calibration: ReliabilityCurve | None
    seen: Mapping[int, tuple[int, int, int]]
    flags: FlagCounts | None = None

    @classmethod
    def of(
        cls,
        probability: NDArray,
        labels: Labels,
        boundary_mm: NDArray,
        probabilistic: bool,
        uncertain: NDArray[np.bool_] | None = None,
    ) -> Self:
        """Scores of predicted probabilities.

        Args:
            probability: (V,) of skin; above one half a vertex is labelled skin.
            labels: the true ones; what is not known is not scored.
            boundary_mm: (V,) distances to the true boundary between skin and the rest.
            probabilistic: the probabilities take values between 0 and 1.
            uncertain: (V,) labels that the method flags; None where it doesn't.
        """
        known = labels.is_known
        probability, boundary_mm = np.asarray(probability)[known], boundary_mm[known]
        skin, true = probability > 0.5, labels.skin[known]
        shown = None if labels.seen_class is None else labels.seen_class[known]
        seen = {}
        for kind in () if shown is None else np.unique(shown):
            here = shown == kind
            seen[int(kind)] = int(here.sum()), int(skin[here].sum()), int(true[here].sum())
        calibration = ReliabilityCurve.of(probability, true) if probabilistic else None
        flags = None if uncertain is None else FlagCounts.of(np.asarray(uncertain)[known], skin != true)
        return cls(Counts.of(skin, true), BoundaryErrors.of(skin, true, boundary_mm), calibration, seen, flags)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "counts": asdict(self.counts),
            "boundary": self.boundary.to_json(),
            "calibration": None if self.calibration is None else self.calibration.to_json(),
            "seen": {str(kind): list(counts) for kind, counts in self.seen.items()},
            "flags": None if self.flags is None else asdict(self.flags),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        calibration, flags = value["calibration"], value["flags"]
        return cls(
            Counts(**value["counts"]),
            BoundaryErrors.from_json(value["boundary"]),
            None if calibration is None else ReliabilityCurve.from_json(calibration),
            {int(kind): (int(a), int(b), int(c)) for kind, (a, b, c) in value["seen"].items()},
            None if flags is None else FlagCounts(**flags),
        )
