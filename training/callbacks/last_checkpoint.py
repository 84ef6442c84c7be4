"""The checkpoint of the last epoch."""

from __future__ import annotations

from pathlib import Path

import lightning
from lightning.pytorch.callbacks import Callback


class LastCheckpoint(Callback):
    """Writes a checkpoint after every epoch, in place of the one before.

    That of Lightning's `save_last` is of the last epoch that was the best.

    Args:
        path: of the checkpoint.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Save; validation, where this epoch has one, is done, and the best checkpoint is written."""
        trainer.save_checkpoint(self.path)
