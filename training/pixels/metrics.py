"""Metrics of per-pixel classes, over all images of a split and all processes."""

from __future__ import annotations

import warnings

import torch
from torch import nn
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassConfusionMatrix

from capture import SKIN_CLASSES, PixelClass
from training.image_changes import IGNORED

CLASSES = tuple(item.name.lower() for item in PixelClass)


class PixelMetrics(nn.Module):
    """Collects images, then gives numbers by name.

    `iou_skin`, `iou_other`, `miou`: of what counts as skin (`SKIN_CLASSES`, by the sum of their probabilities) and the
    rest, over all pixels together. `class_iou_<name>` and their mean `class_miou`: of the classes that occur. `loss`:
    mean over images.
    """

    def __init__(self) -> None:
        super().__init__()
        self.skin = MulticlassConfusionMatrix(2, ignore_index=IGNORED, validate_args=False)
        self.classes = MulticlassConfusionMatrix(len(CLASSES), ignore_index=IGNORED, validate_args=False)
        self.loss = MeanMetric()

    def update(self, scores: torch.Tensor, classes: torch.Tensor, loss: torch.Tensor) -> None:
        """Take in scores (B, classes, H, W) and true ids (B, H, W)."""
        target = torch.isin(classes, classes.new_tensor(SKIN_CLASSES)).long()
        self.skin.update((skin_probability(scores) > 0.5).long(), target.masked_fill(classes == IGNORED, IGNORED))
        self.classes.update(scores.argmax(1), classes)
        if (classes != IGNORED).any():
            self.loss.update(loss, len(classes))

    def compute(self) -> dict[str, torch.Tensor]:
        """All numbers; every process has to ask. A class that nobody has is left out."""
        with warnings.catch_warnings():  # a process may have seen no image
            warnings.filterwarnings("ignore", ".*was called before the ``update`` method.*")
            other, skin = _iou(self.skin.compute())
            classes = _iou(self.classes.compute())
            known = ((name, value) for name, value in zip(CLASSES, classes, strict=True) if not value.isnan())
            return {
                "miou": torch.stack([skin, other]).nanmean(),
                "iou_skin": skin,
                "iou_other": other,
                "class_miou": classes.nanmean(),
                **{f"class_iou_{name}": value for name, value in known},
                "loss": self.loss.compute(),
            }

    def reset(self) -> None:
        """Forget all images."""
        for metric in (self.skin, self.classes, self.loss):
            metric.reset()


def skin_probability(scores: torch.Tensor) -> torch.Tensor:
    """(B, H, W) of skin, from scores (B, classes, H, W)."""
    return scores.float().softmax(1)[:, list(SKIN_CLASSES)].sum(1)


def _iou(table: torch.Tensor) -> torch.Tensor:
    """(C,) intersection over union from counts (C, C) of true by predicted; NaN where neither has the class."""
    both = table.diagonal().double()
    return both / (table.sum(0) + table.sum(1) - both)
