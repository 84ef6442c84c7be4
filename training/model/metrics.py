"""Metrics of labels, over all vertices of a split and all processes."""

from __future__ import annotations

import warnings

import torch
from torch import nn
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassJaccardIndex

from scans.predictions import PARTS
from training.data.batch import BatchTargets
from training.model.outputs import Outputs, OutputWeights

BAND_MM = 5.0  # the boundary's neighbourhood, where labels are hard
NEAR_MM = 20.0  # distances beyond are not measured: what is so far off the skin needs no number
CLASSES = ("other", "skin")


class LabelMetrics(nn.Module):
    """Collects heads, then gives numbers by name.

    `miou`, `iou_skin`, `iou_other`: intersection over union of all vertices together. `accuracy`, and `band_accuracy`
    within `BAND_MM` of the boundary of the true labels. `distance_mae_mm`: mean error of distances where the true one
    is below `NEAR_MM`. `part_miou`, `part_iou_<name>`: over the parts that occur. `loss`: mean over heads.
    """

    def __init__(self, weights: OutputWeights) -> None:
        super().__init__()
        self.weights = weights
        self.iou = MulticlassJaccardIndex(len(CLASSES), average="none", ignore_index=-1, zero_division=float("nan"))
        self.accuracy, self.band, self.loss = MeanMetric(), MeanMetric(), MeanMetric()
        self.distance = MeanMetric()
        self.part = MulticlassJaccardIndex(len(PARTS), average="none", ignore_index=-1, zero_division=float("nan"))

    def update(self, outputs: Outputs, targets: BatchTargets, loss: torch.Tensor) -> None:
        """Take in a head."""
        predicted = outputs.skin.argmax(-1)
        known = targets.skin >= 0
        right = (predicted == targets.skin)[known].float()
        self.iou.update(predicted, targets.skin)
        self.accuracy.update(right)
        self.band.update(right, (targets.boundary_mm[known] < BAND_MM).float())
        self.loss.update(loss)
        if outputs.distance_mm is not None:
            near = targets.distance_mm < NEAR_MM  # not where it is NaN
            self.distance.update((outputs.distance_mm - targets.distance_mm)[near].abs())
        if outputs.part is not None:
            self.part.update(outputs.part.argmax(-1), targets.part)

    def compute(self) -> dict[str, torch.Tensor]:
        """All numbers; every process has to ask. One that nothing is known of is NaN."""
        with warnings.catch_warnings():  # a process may have seen no head
            warnings.filterwarnings("ignore", ".*was called before the ``update`` method.*")
            values = self.iou.compute()
            result = {"miou": values.nanmean()}
            result |= {f"iou_{name}": value for name, value in zip(CLASSES, values, strict=True)}
            result |= {"accuracy": self.accuracy.compute(), "band_accuracy": self.band.compute()}
            result["loss"] = self.loss.compute()
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
        for metric in (self.iou, self.accuracy, self.band, self.loss, self.distance, self.part):
            metric.reset()
