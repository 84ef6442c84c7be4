"""Prediction files of `predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback


class PredictionWriter(Callback):
    """Writes each head's prediction at all vertices of its scan as soon as it is made."""

    def __init__(self, folder: Path) -> None:
        self._folder = Path(folder)

    def on_predict_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Write `<id>.npz`."""
        if batch.counted:
            outputs.to_prediction(batch.scan.key).write(self._folder / f"{batch.id}.npz")
