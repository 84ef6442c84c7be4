"""Statistics over heads: pooled registration errors, and paired differences of two methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from registration.errors import SurfaceError


def pooled(errors: Sequence[SurfaceError]) -> SurfaceError | None:
    """Errors of all heads together, each with the same weight; None without any.

    Mean and standard deviation are those of all distances; median and 90th percentile are means over heads.
    """
    if not errors:
        return None
    table = np.array([[each.mean, each.std, each.median, each.p90] for each in errors])
    mean, _, median, p90 = table.mean(axis=0)
    variance = float((table[:, 1] ** 2 + table[:, 0] ** 2).mean() - mean**2)
    return SurfaceError(float(mean), float(np.sqrt(max(variance, 0))), float(median), float(p90))


@dataclass(frozen=True)
class PairedDifference:
    """Difference of two methods on the heads that have the numbers of both.

    Attributes:
        heads: their count.
        difference: of the means, ours less theirs.
        low, high: 95 % interval of the mean difference (Student's t over heads).
        relative: difference as a fraction of theirs.
    """

    heads: int
    difference: float
    low: float
    high: float
    relative: float

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, float]]) -> PairedDifference | None:
        """Difference from our and their number of each head; None for fewer than two heads."""
        if len(pairs) < 2:
            return None
        table = np.array(pairs, float)
        gap = table[:, 0] - table[:, 1]
        mean, theirs = float(gap.mean()), float(table[:, 1].mean())
        reach = float(stats.t.ppf(0.975, len(gap) - 1) * gap.std(ddof=1) / np.sqrt(len(gap)))
        return cls(len(gap), mean, mean - reach, mean + reach, mean / theirs if theirs else float("nan"))
