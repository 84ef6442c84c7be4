"""Progress of a run as plain lines, where no bar can be shown."""

from __future__ import annotations

import logging
import time

import lightning
from lightning.pytorch.callbacks import Callback

log = logging.getLogger(__name__)


class PlainProgress(Callback):
    """One line an epoch, at most one every few seconds, for logs and pipes."""

    def __init__(self, interval: float = 5.0) -> None:
        self._interval, self._last = interval, 0.0

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Log loss and validation, as far as they are known."""
        now, last = time.monotonic(), trainer.current_epoch + 1 == trainer.max_epochs
        if now - self._last < self._interval and not last:
            return
        self._last = now
        names = {"train/loss": "loss", "val/miou": "val mIoU"}
        known = trainer.callback_metrics
        values = ", ".join(f"{text} {float(known[key]):.3f}" for key, text in names.items() if key in known)
        log.info("epoch %d of %s: %s", trainer.current_epoch + 1, trainer.max_epochs, values)


def prepared_line(name: str, done: int, total: int) -> None:
    """Progress of the prepare stage as a line."""
    log.info("prepared %d of %d: %s", done, total, name)
