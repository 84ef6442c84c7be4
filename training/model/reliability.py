"""Measuring a labeller's calibration on validation heads: counts over all processes, and the lines that fit them."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from torchmetrics import Metric

from scans.label_counts import Counts
from scans.reliability_curve import ReliabilityCurve
from training.model.calibration import Calibration, LogOddsMap
from training.model.outputs import ONE_DEVIATION

Bins: TypeAlias = NDArray[np.int64]

UNCERTAIN_SHARE = 0.1  # of the validation heads' vertices, which are flagged as uncertain
_LIMIT = 20.0  # log odds beyond count as this
_BINS = 800  # of log odds: a twentieth each
_ERRORS = 400  # bins of errors of the distance, in predicted scales
_FURTHEST = 20.0  # predicted scales
LEAST_HEADS = 3  # that a measurement needs: the vertices of one are not many witnesses
_LEAST = 100  # vertices of each kind that it needs
_PRIOR = 10.0  # vertices' worth of the wish to leave scores as they are: keeps labels without mistakes finite
_LEAST_SLOPE = 0.05  # more is never less likely


class LogOddsCounts(Metric):
    """Counts of true and false statements by their log odds, over all vertices of a split and all processes."""

    counts: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("counts", torch.zeros(2, _BINS, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, log_odds: torch.Tensor, true: torch.Tensor) -> None:
        """Take in the log odds (P,) of statements, and whether they were true (P,) bool."""
        index = _bins((log_odds.float() + _LIMIT) / (2 * _LIMIT), _BINS)
        for row, chosen in enumerate((~true, true)):
            self.counts[row] += torch.bincount(index[chosen], minlength=_BINS)

    def compute(self) -> torch.Tensor:
        """(2, bins) of false and true ones."""
        return self.counts


class ScaleCounts(Metric):
    """Counts of errors of the distance in units of the predicted scale, over all vertices and processes."""

    counts: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("counts", torch.zeros(_ERRORS, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, error: torch.Tensor, scale: torch.Tensor) -> None:
        """Take in absolute errors (P,) and predicted scales (P,), both in log(1 + mm)."""
        self.counts += torch.bincount(_bins(error / scale / _FURTHEST, _ERRORS), minlength=_ERRORS)

    def compute(self) -> torch.Tensor:
        """(bins,)."""
        return self.counts


def _bins(shares: torch.Tensor, count: int) -> torch.Tensor:
    """Numbers of the bins that values lie in, of so many between 0 and 1; what is no number lies in the last."""
    return (shares * count).nan_to_num(nan=count).clamp(0, count - 1).long()


def confusion(line: LogOddsMap, counts: Bins) -> Counts:
    """Of counts (2, bins) of log odds, labelled by a line."""
    says_skin = _odds(line) > 0
    (other, false), (missed, skin) = ((int(row[~says_skin].sum()), int(row[says_skin].sum())) for row in counts)
    return Counts(skin, false, missed, other)


def measure(before: Calibration, heads: int, skin: Bins, visible: Bins, errors: Bins) -> Calibration:
    """The calibration that counts of validation heads ask for.

    Args:
        before: stays for what they tell nothing about, and where they are too few.
        heads: that were counted.
        skin, visible: (2, bins) of `LogOddsCounts`.
        errors: (bins,) of `ScaleCounts`.
    """
    found = before
    if heads < LEAST_HEADS:
        return found
    if (skin.sum(1) >= _LEAST).all():
        line = fit_line(skin)
        found = replace(found, skin=line, sure=_sure(line, skin))
    if (visible.sum(1) >= _LEAST).all():
        found = replace(found, visible=fit_line(visible, shifted=False))
    if errors.sum() >= _LEAST:
        within = np.searchsorted(np.cumsum(errors), ONE_DEVIATION.share * errors.sum()) + 1
        found = replace(found, spread=float(within * _FURTHEST / _ERRORS / ONE_DEVIATION.scales))
    return found


def fit_line(counts: Bins, shifted: bool = True) -> LogOddsMap:
    """The line under which counts (2, bins) are most likely: logistic regression. It never falls.

    Without `shifted` it goes through the origin (temperature scaling): decisions stay what they are.
    """
    inputs, total, true = np.stack([_bin_middles(), np.ones(_BINS)]), counts.sum(0), counts[1]
    rest = np.array([1.0, 0.0])

    def surprise(line: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds, off = line @ inputs, line - rest
        value = (total * np.logaddexp(0, odds) - true * odds).sum() + _PRIOR / 2 * off @ off
        return value / total.sum(), (inputs @ (total * expit(odds) - true) + _PRIOR * off) / total.sum()

    bounds = [(_LEAST_SLOPE, None), (None, None) if shifted else (0.0, 0.0)]
    found = minimize(surprise, rest, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-13, "gtol": 1e-9})
    return LogOddsMap(*(float(value) for value in found.x))


def _sure(line: LogOddsMap, counts: Bins) -> float:
    """The probability of the label below which `UNCERTAIN_SHARE` of the vertices lie."""
    chance = _label_chance(line)
    order = np.argsort(chance)
    share = np.cumsum(counts.sum(0)[order]) / counts.sum()
    return float(chance[order][np.searchsorted(share, UNCERTAIN_SHARE)])


def expected_error(line: LogOddsMap, counts: Bins) -> float:
    """Expected calibration error of counts (2, bins); NaN without any."""
    return ReliabilityCurve.of_counts(expit(_odds(line)), *counts).error


def flagged(calibration: Calibration, counts: Bins) -> tuple[float, float]:
    """The shares of the vertices, and of the mistakes, that are flagged as uncertain; NaN where there are none."""
    if calibration.sure is None:
        return float("nan"), float("nan")
    mistakes = np.where(_odds(calibration.skin) > 0, counts[0], counts[1])
    chosen = _label_chance(calibration.skin) < calibration.sure
    share = _ratio(int(counts[:, chosen].sum()), int(counts.sum()))
    return share, _ratio(int(mistakes[chosen].sum()), int(mistakes.sum()))


def coverage(calibration: Calibration, errors: Bins) -> float:
    """Share of counts (bins,) of errors of the distance within its spread; NaN where there are none."""
    within = ONE_DEVIATION.scales * calibration.spread * _ERRORS / _FURTHEST
    return _ratio(int(errors[: round(within)].sum()), int(errors.sum()))


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def _label_chance(line: LogOddsMap) -> NDArray[np.float64]:
    """(bins,) the probability of the label that a vertex of these log odds gets."""
    return np.asarray(expit(np.abs(_odds(line))))


def _odds(line: LogOddsMap) -> NDArray[np.float64]:
    """(bins,) log odds by a line."""
    return line.scale * _bin_middles() + line.offset


def _bin_middles() -> NDArray[np.float64]:
    return (np.arange(_BINS) + 0.5) * (2 * _LIMIT / _BINS) - _LIMIT
