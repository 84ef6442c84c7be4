"""The per-image segmenter: network, loss, optimiser, metrics."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from capture import InputError
from training.image_changes import IGNORED
from training.model.base import BaseModule
from training.pixels.data import PixelBatch
from training.pixels.metrics import CLASSES, PixelMetrics
from training.pixels.network import CHANNELS, UNet

if TYPE_CHECKING:
    from training.pixels.data import PixelData

SCHEMA_VERSION = 1
KEY = "pixels"  # of the description in a checkpoint
_MEAN = (0.485, 0.456, 0.406)  # of ImageNet
_DEVIATION = (0.229, 0.224, 0.225)
_RISE = 0.05  # of the run, in which the learning rate rises


class PixelLabeller(BaseModule):
    """Scores of the classes of `PixelClass` at each pixel.

    Args:
        channels: channels of the U-Net's levels, the finest first; multiples of 8.
        learning_rate: highest learning rate of AdamW; it rises over the first twentieth of the run and falls to zero.
        weight_decay: weight decay of AdamW.
        dice_weight: weight in the loss of the classes' mean Dice loss beside cross-entropy: it makes rare ones count.
    """

    def __init__(
        self,
        channels: tuple[int, ...] = CHANNELS,
        learning_rate: float = 2e-3,
        weight_decay: float = 1e-4,
        dice_weight: float = 0.5,
    ) -> None:
        super().__init__()
        if not (learning_rate > 0 and weight_decay >= 0 and dice_weight >= 0):
            raise InputError("`learning_rate` must be positive, `weight_decay` and `dice_weight` not negative")
        channels = tuple(channels)
        self.save_hyperparameters(
            {
                "channels": list(channels),
                "dice_weight": dice_weight,
                "learning_rate": learning_rate,
                "weight_decay": weight_decay,
            }
        )
        self.learning_rate, self.weight_decay, self.dice_weight = learning_rate, weight_decay, dice_weight
        try:
            self.network = UNet(len(CLASSES), channels)
        except ValueError as error:
            raise InputError(f"model.{error}") from None
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION)[:, None, None], persistent=False)
        self.metrics = nn.ModuleDict({"val": PixelMetrics(), "test": PixelMetrics()})
        self.resolution: int | None = None
        self.position: tuple[int, int] | None = None  # epoch, and step of it, of the last training image

    mean: torch.Tensor
    deviation: torch.Tensor

    def setup(self, stage: str) -> None:
        """Take over the resolution of the data."""
        data: PixelData = self.trainer.datamodule  # type: ignore[attr-defined]
        self.resolution = data.resolution

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Scores (B, classes, H, W) of images (B, H, W, 3) in 0..255."""
        values = (image.permute(0, 3, 1, 2).float() / 255 - self.mean) / self.deviation
        return self.network(values)

    def training_step(self, batch: PixelBatch, index: int) -> torch.Tensor:
        self.position = (int(batch.epoch[-1]), int(batch.step[-1]))
        loss = self._loss(self(batch.image), batch.classes.long())
        options: dict[str, Any] = {"on_step": False, "on_epoch": True, "sync_dist": True, "prog_bar": True}
        self.log("train/loss", loss, batch_size=len(batch.image), **options)
        return loss

    def validation_step(self, batch: PixelBatch, index: int) -> None:
        self._evaluate(batch, "val")

    def test_step(self, batch: PixelBatch, index: int) -> None:
        self._evaluate(batch, "test")

    def _evaluate(self, batch: PixelBatch, stage: str) -> None:
        scores, classes = self(batch.image), batch.classes.long()
        self.metrics[stage].update(scores, classes, self._loss(scores, classes))  # type: ignore[operator]

    def _loss(self, scores: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        known = (classes != IGNORED).sum().clamp_min(1)
        loss = functional.cross_entropy(scores.float(), classes, ignore_index=IGNORED, reduction="sum") / known
        return loss + self.dice_weight * dice_loss(scores, classes) if self.dice_weight else loss

    def configure_optimizers(self) -> Any:
        optimiser = self.adamw()
        steps = self.steps()
        return self.by_step(optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step / steps)))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what segmenting needs, as plain types."""
        checkpoint[KEY] = {"schema_version": SCHEMA_VERSION, "resolution": self.resolution, "classes": list(CLASSES)}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse a checkpoint of something else."""
        check_description(checkpoint.get(KEY), "the checkpoint")


def _rate(done: float) -> float:
    """Share of the highest learning rate where `done` (0 to 1) of the run is done: linear rise, then a half cosine."""
    if done < _RISE:
        return max(done / _RISE, 0.01)
    return 0.5 + 0.5 * math.cos(math.pi * min((done - _RISE) / (1 - _RISE), 1.0))


def check_description(value: Any, where: str) -> None:
    """Raise `InputError` naming `where` unless a checkpoint's description is one that this program reads."""
    if not isinstance(value, dict) or value.get("schema_version") != SCHEMA_VERSION:
        raise InputError(f"{where} is none of this program's; train one with `python -m training.pixels fit`")
    if value.get("classes") != list(CLASSES) or not isinstance(value.get("resolution"), int):
        raise InputError(f"{where} was trained on other classes than this program has; train it again")


def dice_loss(scores: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """1 minus the mean soft Dice coefficient (Milletari et al. 2016) of the classes that occur in the batch.

    Args:
        scores: (B, C, H, W).
        classes: (B, H, W) ids; pixels that are `IGNORED` don't count.
    """
    count = scores.shape[1]
    known = classes != IGNORED
    probability = scores.float().softmax(1) * known[:, None]
    target = functional.one_hot(classes.masked_fill(~known, 0), count).permute(0, 3, 1, 2) * known[:, None]
    both = (probability * target).sum((0, 2, 3))
    size = target.sum((0, 2, 3))
    there = size > 0
    dice = 2 * both[there] / (probability.sum((0, 2, 3)) + size)[there]
    return 1 - dice.mean() if bool(there.any()) else scores.sum() * 0
