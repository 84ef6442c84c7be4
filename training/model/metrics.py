"""Metrics of labels, over all vertices of a split and all processes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torchmetrics import MeanMetric, Metric, SumMetric
from torchmetrics.classification import MulticlassJaccardIndex

from capture import PixelClass
from scans.predictions import PARTS
from training.data.batch import BatchTargets
from training.model.calibration import Calibration, part_log_odds
from training.model.outputs import Outputs, OutputWeights
from training.model.reliability import (
    Bins,
    LogOddsCounts,
    ScaleCounts,
    confusion,
    coverage,
    expected_error,
    flagged,
    measure,
)

BAND_MM = 5.0  # the boundary's neighbourhood, where labels are hard
NEAR_MM = 20.0  # distances beyond are not measured: what is so far off the skin needs no number


class LabelMetrics(nn.Module):
    """Collects heads with the network's outputs as they are, then gives numbers of the calibrated ones by name.

    `miou`, `iou_skin`, `iou_other`: intersection over union of all vertices together. `accuracy`, and `band_accuracy`
    within `BAND_MM` of the boundary of the true labels. `distance_mae_mm`: mean error of distances where the true one
    is below `NEAR_MM`; `distance_coverage`: share of the distances that their spread holds. `part_miou`,
    `part_iou_<name>`: over the parts that occur, as the network tells them. `loss`: mean over heads.
    `calibration_error`, `visible_calibration_error`: expected errors of the probabilities of skin, and of seen skin.
    `uncertain`, `uncertain_mistakes`: shares of the vertices and of the mistakes that are flagged.

    Attributes:
        calibration: of the outputs.
    """

    def __init__(self, weights: OutputWeights) -> None:
        super().__init__()
        self.weights = weights
        self.calibration = Calibration()
        self.heads, self.loss, self.distance = SumMetric(), MeanMetric(), MeanMetric()
        self.part = MulticlassJaccardIndex(len(PARTS), average="none", ignore_index=-1, zero_division=float("nan"))
        self.skin_odds, self.band_odds, self.visible_odds = LogOddsCounts(), LogOddsCounts(), LogOddsCounts()
        self.errors = ScaleCounts()

    def update(self, outputs: Outputs, targets: BatchTargets, loss: torch.Tensor) -> None:
        """Take in a head."""
        known = targets.skin >= 0
        scores, skin = outputs.skin.float()[known], targets.skin[known] == 1
        odds, band = scores[:, 1] - scores[:, 0], targets.boundary_mm[known] < BAND_MM
        self.heads.update(1)
        self.skin_odds.update(odds, skin)
        self.band_odds.update(odds[band], skin[band])
        self.loss.update(loss)
        if outputs.distance_mm is not None:
            near = targets.distance_mm < NEAR_MM  # not where it is NaN
            self.distance.update((outputs.distance_mm - targets.distance_mm)[near].abs())
        if outputs.log_distance is not None and outputs.log_scale is not None:
            told = targets.distance_mm.isfinite()
            error = (outputs.log_distance.float() - targets.distance_mm.log1p())[told].abs()
            self.errors.update(error, outputs.log_scale[told])
        if outputs.part is not None:
            self.part.update(outputs.part.argmax(-1), targets.part)
            seen = targets.part >= 0
            self.visible_odds.update(part_log_odds(outputs.part.float()[seen]), targets.part[seen] == PixelClass.SKIN)

    def calibrate(self, before: Calibration) -> Calibration:
        """Take the calibration that the heads ask for, and return it; every process has to ask."""
        with _counting():
            heads = int(self.heads.compute())
            counts = [each.compute().cpu().numpy() for each in (self.skin_odds, self.visible_odds, self.errors)]
        self.calibration = measure(before, heads, *counts)
        return self.calibration

    def compute(self) -> dict[str, torch.Tensor]:
        """All numbers; every process has to ask. One that nothing is known of is NaN."""
        with _counting():
            odds, band, seen, errors = (
                each.compute().cpu().numpy()
                for each in (self.skin_odds, self.band_odds, self.visible_odds, self.errors)
            )
            numbers = self._label_numbers(odds)
            numbers["band_accuracy"] = confusion(self.calibration.skin, band).scores().accuracy
            result = {name: torch.tensor(value) for name, value in numbers.items()} | {"loss": self.loss.compute()}
            if self.weights.distance > 0:
                result["distance_mae_mm"] = self.distance.compute()
                if self.weights.spread:
                    result["distance_coverage"] = torch.tensor(coverage(self.calibration, errors))
            if self.weights.part > 0:
                result["visible_calibration_error"] = torch.tensor(expected_error(self.calibration.visible, seen))
                parts = self.part.compute()
                result["part_miou"] = parts.nanmean()
                known = ((name, value) for name, value in zip(PARTS, parts, strict=True) if not value.isnan())
                result |= {f"part_iou_{name}": value for name, value in known}
        return result

    def _label_numbers(self, odds: Bins) -> dict[str, float]:
        """Of counts (2, bins) of skin's log odds."""
        scores = confusion(self.calibration.skin, odds).scores()
        numbers = {"miou": scores.miou, "iou_other": scores.iou_other, "iou_skin": scores.iou_skin}
        numbers |= {"accuracy": scores.accuracy, "calibration_error": expected_error(self.calibration.skin, odds)}
        if self.calibration.sure is not None:
            numbers["uncertain"], numbers["uncertain_mistakes"] = flagged(self.calibration, odds)
        return numbers

    def reset(self) -> None:
        """Forget all heads."""
        for metric in self.children():
            assert isinstance(metric, Metric)
            metric.reset()


@contextmanager
def _counting() -> Iterator[None]:
    """Without warnings: a process may have seen no head."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*was called before the ``update`` method.*")
        yield
