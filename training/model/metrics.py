"""Metrics of labels, over all vertices of a split and all processes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torchmetrics import MeanMetric, Metric
from torchmetrics.classification import MulticlassJaccardIndex

from capture import PixelClass
from scans.predictions import PARTS
from training.data.batch import BatchTargets
from training.model.calibration import Calibration, LogOddsMap, part_log_odds
from training.model.outputs import Outputs, OutputWeights
from training.model.reliability import LogOddsCounts, ScaleCounts, expected_error, flagged, measure

BAND_MM = 5.0  # the boundary's neighbourhood, where labels are hard
NEAR_MM = 20.0  # distances beyond are not measured: what is so far off the skin needs no number
CLASSES = ("other", "skin")


class LabelMetrics(nn.Module):
    """Collects heads, then gives numbers by name.

    `miou`, `iou_skin`, `iou_other`: intersection over union of all vertices together. `accuracy`, and `band_accuracy`
    within `BAND_MM` of the boundary of the true labels. `distance_mae_mm`: mean error of distances where the true one
    is below `NEAR_MM`. `part_miou`, `part_iou_<name>`: over the parts that occur. `loss`: mean over heads.
    `calibration_error`: expected error of skin's probabilities. `uncertain`, `uncertain_mistakes`: shares of the
    vertices and of the mistakes whose label is less probable than `sure`, where that is set.

    Attributes:
        sure: the probability of its label that a vertex needs not to be flagged; None where nothing is.
    """

    def __init__(self, weights: OutputWeights) -> None:
        super().__init__()
        self.weights = weights
        self.sure: float | None = None
        self.iou = MulticlassJaccardIndex(len(CLASSES), average="none", ignore_index=-1, zero_division=float("nan"))
        self.accuracy, self.band, self.loss = MeanMetric(), MeanMetric(), MeanMetric()
        self.distance = MeanMetric()
        self.part = MulticlassJaccardIndex(len(PARTS), average="none", ignore_index=-1, zero_division=float("nan"))
        self.skin_odds, self.visible_odds, self.errors = LogOddsCounts(), LogOddsCounts(), ScaleCounts()

    def update(self, outputs: Outputs, targets: BatchTargets, loss: torch.Tensor) -> None:
        """Take in a head."""
        predicted = outputs.skin.argmax(-1)
        known = targets.skin >= 0
        right = (predicted == targets.skin)[known].float()
        self.iou.update(predicted, targets.skin)
        self.accuracy.update(right)
        self.band.update(right, (targets.boundary_mm[known] < BAND_MM).float())
        self.loss.update(loss)
        scores = outputs.skin.float()[known]
        self.skin_odds.update(scores[:, 1] - scores[:, 0], targets.skin[known] == 1)
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

    def calibration(self, before: Calibration) -> Calibration:
        """The calibration that the heads ask for, whose outputs were taken in as they are; every process has to ask."""
        with _counting():
            counts = [each.compute().cpu().numpy() for each in (self.skin_odds, self.visible_odds, self.errors)]
        return measure(before, *counts)

    def compute(self) -> dict[str, torch.Tensor]:
        """All numbers; every process has to ask. One that nothing is known of is NaN."""
        with _counting():
            values = self.iou.compute()
            result = {"miou": values.nanmean()}
            result |= {f"iou_{name}": value for name, value in zip(CLASSES, values, strict=True)}
            result |= {"accuracy": self.accuracy.compute(), "band_accuracy": self.band.compute()}
            result["loss"] = self.loss.compute()
            odds = self.skin_odds.compute().cpu().numpy()
            result["calibration_error"] = torch.tensor(expected_error(LogOddsMap(), odds))
            if self.sure is not None:
                shares = flagged(Calibration(sure=self.sure), odds)
                result |= dict(zip(("uncertain", "uncertain_mistakes"), map(torch.tensor, shares), strict=True))
            if self.weights.distance > 0:
                result["distance_mae_mm"] = self.distance.compute()
            if self.weights.part > 0:
                parts = self.part.compute()
                result["part_miou"] = parts.nanmean()
                known = ((name, value) for name, value in zip(PARTS, parts, strict=True) if not value.isnan())
                result |= {f"part_iou_{name}": value for name, value in known}
        return result

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
