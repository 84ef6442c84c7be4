"""Summary of a method over all samples: the numbers of a table's row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture import PixelClass
from evaluation.comparison.results import MethodResult
from evaluation.metrics.boundary import EDGES_MM, BoundaryErrors
from evaluation.metrics.label_scores import LabelScores
from evaluation.metrics.statistics import PairedDifference, pooled
from registration.errors import SurfaceError
from scans.label_counts import BinaryScores, Counts, FlagCounts
from scans.reliability_curve import ReliabilityCurve

_UNSEEN = 255


@dataclass(frozen=True, eq=False)
class MethodSummary:
    """Scores of a method over all heads.

    Attributes:
        scores: over the vertices of all heads together; None without labels.
        miou_heads: (H,) of each head that was labelled.
        boundary: errors around the boundary.
        calibration: None where the method's probabilities are 0 and 1 alone.
        flags: of labels that are called uncertain; None where none are.
        seen: pixel class -> vertices that show it, fraction of them labelled skin, fraction that is skin.
        error: of the registration, `pooled`; None without any.
        error_back: the same from the true face to the template.
        heads, registered: counts of those that were labelled and registered.
        seconds: of a registration, mean.
        missing: reason -> ids of the heads that lack a result for it.
    """

    scores: BinaryScores | None
    miou_heads: NDArray[np.float64]
    boundary: BoundaryErrors
    calibration: ReliabilityCurve | None
    flags: FlagCounts | None
    seen: Mapping[str, tuple[int, float, float]]
    error: SurfaceError | None
    error_back: SurfaceError | None
    heads: int
    registered: int
    seconds: float
    missing: Mapping[str, Sequence[str]]

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
                "uncertain": None if self.flags is None else _rounded(self.flags.share),
                "uncertain_mistakes": None if self.flags is None else _rounded(self.flags.mistakes),
                "seen": {
                    name: {"vertices": count, "called_skin": _rounded(called), "is_skin": _rounded(true)}
                    for name, (count, called, true) in self.seen.items()
                },
            },
            "registration": None
            if self.error is None
            else {
                "error_mm": self.error.to_json(),
                "back_mm": None if self.error_back is None else self.error_back.to_json(),
                "seconds": round(self.seconds, 2),
            },
            "missing": {reason: list(ids) for reason, ids in self.missing.items()},
        }


def summarise(results: Mapping[str, MethodResult]) -> MethodSummary:
    """Summary of results, by head id."""
    labels = [each.labels for each in results.values() if each.labels is not None]
    registered = [each.registration for each in results.values() if each.registration is not None]
    missing: dict[str, list[str]] = {}
    for name, result in results.items():
        if result.reason:
            missing.setdefault(result.reason, []).append(name)
    flags = [each.flags for each in labels if each.flags is not None]
    calibrations = [each.calibration for each in labels if each.calibration is not None]
    return MethodSummary(
        Counts.total(each.counts for each in labels).scores() if labels else None,
        np.array([each.counts.scores().miou for each in labels]),
        BoundaryErrors.total(each.boundary for each in labels),
        ReliabilityCurve.total(calibrations) if calibrations else None,
        FlagCounts.total(flags) if flags else None,
        _seen(labels),
        pooled([each.error for each in registered]),
        pooled([each.error_back for each in registered if each.error_back is not None]),
        len(labels),
        len(registered),
        float(np.mean([each.seconds for each in registered])) if registered else float("nan"),
        missing,
    )


def compare(
    ours: Mapping[str, MethodResult],
    theirs: Mapping[str, MethodResult],
    number: Callable[[MethodResult], float | None],
) -> PairedDifference | None:
    """The difference of two methods, head id -> result, on the heads that have the number of both."""
    return PairedDifference.of(
        [
            (one, other)
            for name in ours
            if name in theirs
            and (one := number(ours[name])) is not None
            and (other := number(theirs[name])) is not None
        ]
    )


def distance_of(result: MethodResult) -> float | None:
    """Mean distance of the registered face to the true surface, mm."""
    return None if result.registration is None else result.registration.error.mean


def miou_of(result: MethodResult) -> float | None:
    """mIoU of the head's labels."""
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
