"""The base of Lightning modules: metrics of `val` and `test` at the end of an epoch, the optimiser."""

from __future__ import annotations

from typing import Any

import lightning
import torch
from torch import nn


class BaseModule(lightning.LightningModule):
    """A module whose metrics are logged when a pass over a split ends.

    Attributes:
        metrics: of the stages `val` and `test`; `compute` gives a dictionary with `miou` in it.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
    """

    metrics: nn.ModuleDict
    learning_rate: float
    weight_decay: float

    def on_validation_epoch_end(self) -> None:
        self._log_metrics("val")

    def on_test_epoch_end(self) -> None:
        self._log_metrics("test")

    def adamw(self) -> torch.optim.AdamW:
        """AdamW over all parameters."""
        return torch.optim.AdamW(self.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay)

    def steps(self) -> int:
        """Optimiser's steps in the whole run, at least 1."""
        return max(int(self.trainer.estimated_stepping_batches), 1)

    def by_step(self, optimiser: torch.optim.Optimizer, schedule: Any) -> dict[str, Any]:
        """Lightning's configuration of an optimiser whose learning rate changes with each step."""
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _log_metrics(self, stage: str) -> None:
        metrics: Any = self.metrics[stage]
        for name, value in metrics.compute().items():
            self.log(f"{stage}/{name}", value, prog_bar=name == "miou")
        metrics.reset()
