"""From what the network says to files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from numpy.typing import NDArray

from scans.predictions import Prediction
from training.model.outputs import Outputs

THRESHOLD = 0.5


def to_prediction(outputs: Outputs, scan: str = "") -> Prediction:
    """From what the network says of all vertices of the scan whose content has the name `scan`."""
    probability, distance, parts = outputs.probability, outputs.distance_mm, outputs.part_probability
    return Prediction(
        _numpy(probability),
        _numpy(probability) > THRESHOLD,
        scan,
        None if distance is None else _numpy(distance),
        None if parts is None else parts.argmax(-1).cpu().numpy().astype(np.uint8),
        None if parts is None else _numpy(parts.amax(-1)),
    )


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
            to_prediction(outputs, batch.scan.key).write(self._folder / f"{batch.id}.npz")


def _numpy(values: torch.Tensor) -> NDArray[np.float32]:
    return np.asarray(values.float().cpu().numpy())
