"""Results of many heads as the numbers of a table's row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from capture import PixelClass
from evaluation.comparison.results import LabelScores, Registered, Result
from evaluation.metrics.boundary import EDGES_MM, BoundaryErrors
from evaluation.metrics.calibration import Calibration
from evaluation.metrics.labels import BinaryScores, Counts
from registration.errors import SurfaceError

_UNSEEN = 255


@dataclass(frozen=True, eq=False)
class Summary:
    """A method on all heads.

    Attributes:
        scores: over the vertices of all heads together; None without labels.
        miou_heads: (H,) of each head that was labelled.
        boundary: mistakes around the boundary.
        calibration: None where the method says yes and no alone.
        seen: pixel class -> vertices that show it, share of them called skin, share that is skin.
        error: of the registration: mean, median and 90th percentile are means over heads, the standard deviation is
            that of all distances. None without any.
        back: the same on the way back.
        heads, registered: how many were labelled and registered.
        seconds: of a registration, mean.
        why: reasons why heads are missing, with their ids.
    """

    scores: BinaryScores | None
    miou_heads: NDArray[np.float64]
    boundary: BoundaryErrors
    calibration: Calibration | None
    seen: Mapping[str, tuple[int, float, float]]
    error: SurfaceError | None
    back: SurfaceError | None
    heads: int
    registered: int
    seconds: float
    why: Mapping[str, Sequence[str]]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "heads": self.heads,
            "registered": self.registered,
            "labels": None
            if self.scores is None
            else {
                **{name: _rounded(value) for name, value in asdict(self.scores).items()},
                "miou_heads_mean": _rounded(self.miou_heads.mean()),
                "miou_heads_std": _rounded(self.miou_heads.std()),
                "band_error_5mm": _rounded(self.boundary.within(5.0)),
                "boundary": {"edges_mm": EDGES_MM, "wrong": [_rounded(x) for x in self.boundary.share()]},
                "calibration_error": None if self.calibration is None else _rounded(self.calibration.error),
                "calibration": None if self.calibration is None else self.calibration.to_json(),
                "seen": {
                    name: {"vertices": count, "called_skin": _rounded(called), "is_skin": _rounded(true)}
                    for name, (count, called, true) in self.seen.items()
                },
            },
            "registration": None
            if self.error is None
            else {
                "error_mm": self.error.to_json(),
                "back_mm": None if self.back is None else self.back.to_json(),
                "seconds": round(self.seconds, 2),
            },
            "missing": {reason: list(ids) for reason, ids in self.why.items()},
        }


def summarise(results: Mapping[str, Result]) -> Summary:
    """Of head id -> result."""
    labels = [each.labels for each in results.values() if each.labels is not None]
    registered = [each.registered for each in results.values() if each.registered is not None]
    why: dict[str, list[str]] = {}
    for name, result in results.items():
        if result.why:
            why.setdefault(result.why, []).append(name)
    graded = [each.calibration for each in labels if each.calibration is not None]
    back = [each.back for each in registered if each.back is not None]
    return Summary(
        Counts.total(each.counts for each in labels).scores() if labels else None,
        np.array([each.counts.scores().miou for each in labels]),
        BoundaryErrors.total(each.boundary for each in labels),
        Calibration.total(graded) if graded else None,
        _seen(labels),
        pooled([each.error for each in registered]),
        pooled(back),
        len(labels),
        len(registered),
        float(np.mean([each.seconds for each in registered])) if registered else float("nan"),
        why,
    )


def pooled(errors: Sequence[SurfaceError]) -> SurfaceError | None:
    """Of all heads, each with the same weight: mean and standard deviation are those of all distances together."""
    if not errors:
        return None
    table = np.array([[each.mean, each.std, each.median, each.p90] for each in errors])
    mean, _, median, p90 = table.mean(axis=0)
    variance = float((table[:, 1] ** 2 + table[:, 0] ** 2).mean() - mean**2)
    return SurfaceError(float(mean), float(np.sqrt(max(variance, 0))), float(median), float(p90))


@dataclass(frozen=True)
class Comparison:
    """A method beside another one on the heads that both did.

    Attributes:
        heads: how many.
        difference: of the means, ours less theirs.
        low, high: 95 % interval of the mean difference (Student's t over heads).
        relative: difference as a share of theirs.
    """

    heads: int
    difference: float
    low: float
    high: float
    relative: float


def compare(
    ours: Mapping[str, Result], theirs: Mapping[str, Result], number: Callable[[Result], float | None]
) -> Comparison | None:
    """Paired by heads; None where fewer than two heads have both numbers."""
    pairs = [
        (one, other)
        for name in ours
        if name in theirs and (one := number(ours[name])) is not None and (other := number(theirs[name])) is not None
    ]
    if len(pairs) < 2:
        return None
    table = np.array(pairs, float)
    gap = table[:, 0] - table[:, 1]
    mean, theirs_mean = float(gap.mean()), float(table[:, 1].mean())
    reach = float(stats.t.ppf(0.975, len(gap) - 1) * gap.std(ddof=1) / np.sqrt(len(gap)))
    relative = mean / theirs_mean if theirs_mean else float("nan")
    return Comparison(len(gap), mean, mean - reach, mean + reach, relative)


def distance_of(result: Result) -> float | None:
    """Mean registration error, mm."""
    found: Registered | None = result.registered
    return None if found is None else found.error.mean


def miou_of(result: Result) -> float | None:
    """Of the head."""
    return None if result.labels is None else result.labels.counts.scores().miou


def _seen(labels: Sequence[LabelScores]) -> dict[str, tuple[int, float, float]]:
    total: dict[int, NDArray] = {}
    for each in labels:
        for kind, counts in each.seen.items():
            total[kind] = total.get(kind, np.zeros(3)) + np.array(counts)
    names = {int(kind): kind.name.lower().replace("_", " ") for kind in PixelClass} | {_UNSEEN: "unseen"}
    return {
        names.get(kind, str(kind)): (int(n), float(called / n), float(true / n))
        for kind, (n, called, true) in sorted(total.items())
        if n
    }


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 5)
