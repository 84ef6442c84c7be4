"""Measuring a labeller's calibration on validation heads: counts over all processes, and the lines that fit them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torchmetrics import Metric

from training.model.calibration import Calibration, LogOddsMap
from training.model.outputs import ONE_DEVIATION

UNCERTAIN_SHARE = 0.1  # of the validation heads' vertices, which are flagged as uncertain
_LIMIT = 20.0  # log odds beyond count as this
_BINS = 800  # of log odds: a twentieth each
_ERRORS = 400  # bins of errors of the distance, in predicted scales
_FURTHEST = 20.0  # predicted scales
_LEAST = 100  # vertices of each kind that a measurement needs
_PRIOR = 10.0  # vertices' worth of the wish to leave scores as they are: keeps labels without mistakes finite


class LogOddsCounts(Metric):
    """How often a statement was true at which log odds, over all vertices of a split and all processes."""

    counts: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("counts", torch.zeros(2, _BINS, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, log_odds: torch.Tensor, true: torch.Tensor) -> None:
        """Take in the log odds (P,) of statements, and whether they were true (P,) bool."""
        index = ((log_odds.float() + _LIMIT) * (_BINS / (2 * _LIMIT))).long().clamp(0, _BINS - 1)
        for row, chosen in enumerate((~true, true)):
            self.counts[row] += torch.bincount(index[chosen], minlength=_BINS)

    def compute(self) -> torch.Tensor:
        """(2, bins) of false and true ones."""
        return self.counts


class ScaleCounts(Metric):
    """How large errors of the distance were in units of the predicted scale."""

    counts: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("counts", torch.zeros(_ERRORS, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, error: torch.Tensor, scale: torch.Tensor) -> None:
        """Take in absolute errors (P,) and predicted scales (P,), both in log(1 + mm)."""
        index = (error / scale * (_ERRORS / _FURTHEST)).long().clamp(0, _ERRORS - 1)
        self.counts += torch.bincount(index, minlength=_ERRORS)

    def compute(self) -> torch.Tensor:
        """(bins,)."""
        return self.counts


def measure(
    before: Calibration, skin: NDArray[np.float64], visible: NDArray[np.float64], errors: NDArray[np.float64]
) -> Calibration:
    """The calibration that counts of validation heads ask for.

    Args:
        before: stays for what they tell nothing about.
        skin, visible: (2, bins) of `LogOddsCounts`.
        errors: (bins,) of `ScaleCounts`.
    """
    found = before
    if (skin.sum(1) >= _LEAST).all():
        line = fit_line(skin)
        found = replace(found, skin=line, sure=_sure(line, skin))
    if (visible.sum(1) >= _LEAST).all():
        found = replace(found, visible=fit_line(visible))
    if errors.sum() >= _LEAST:
        within = np.searchsorted(np.cumsum(errors), ONE_DEVIATION.share * errors.sum()) + 1
        found = replace(found, spread=float(within * _FURTHEST / _ERRORS / ONE_DEVIATION.scales))
    return found


def fit_line(counts: NDArray[np.float64], steps: int = 50) -> LogOddsMap:
    """The line under which counts (2, bins) are most likely, by Newton's method."""
    middle = _bin_middles()
    total, true = counts.sum(0), counts[1]
    inputs = np.stack([middle, np.ones(_BINS)])
    rest = np.array([1.0, 0.0])
    line = rest.copy()
    for _ in range(steps):
        chance = expit(line @ inputs)
        slope = inputs @ (total * chance - true) + _PRIOR * (line - rest)
        curvature = (inputs * (total * chance * (1 - chance))) @ inputs.T + _PRIOR * np.eye(2)
        step = np.linalg.solve(curvature, slope)
        line = line - step * min(1.0, 2.0 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < 1e-9:
            break
    return LogOddsMap(float(max(line[0], 0.05)), float(line[1]))  # more is never less likely


def _sure(line: LogOddsMap, counts: NDArray[np.float64]) -> float:
    """The probability of the label below which `UNCERTAIN_SHARE` of the vertices lie."""
    chance = _label_chance(line)
    order = np.argsort(chance)
    share = np.cumsum(counts.sum(0)[order]) / counts.sum()
    return float(chance[order][np.searchsorted(share, UNCERTAIN_SHARE)])


def expected_error(line: LogOddsMap, counts: NDArray[np.float64], bins: int = 15) -> float:
    """Expected calibration error of counts (2, bins): mean difference of probability and frequency."""
    chance = expit(line.scale * _bin_middles() + line.offset)
    index = np.minimum((chance * bins).astype(int), bins - 1)
    said = np.bincount(index, counts.sum(0) * chance, bins)
    true = np.bincount(index, counts[1], bins)
    return float(np.abs(said - true).sum() / max(counts.sum(), 1))


def flagged(calibration: Calibration, counts: NDArray[np.float64]) -> tuple[float, float]:
    """The shares of the vertices, and of the mistakes, that are flagged as uncertain; NaN where there are none."""
    if calibration.sure is None:
        return float("nan"), float("nan")
    line = calibration.skin
    says_skin = line.scale * _bin_middles() + line.offset > 0
    mistakes = np.where(says_skin, counts[0], counts[1])
    chosen = _label_chance(line) < calibration.sure
    total, wrong = counts.sum(), mistakes.sum()
    share = counts[:, chosen].sum() / total if total else float("nan")
    return float(share), float(mistakes[chosen].sum() / wrong) if wrong else float("nan")


def _label_chance(line: LogOddsMap) -> NDArray[np.float64]:
    """(bins,) the probability of the label that a vertex of these log odds gets."""
    return expit(np.abs(line.scale * _bin_middles() + line.offset))


def _bin_middles() -> NDArray[np.float64]:
    return (np.arange(_BINS) + 0.5) * (2 * _LIMIT / _BINS) - _LIMIT
