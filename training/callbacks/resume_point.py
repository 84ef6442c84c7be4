"""Checkpoints to resume a run from, on a timer and when it is stopped by a signal."""

from __future__ import annotations

import logging
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

log = logging.getLogger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """The run was stopped by a signal, and saved. Not an error: nothing below the command line may catch it."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"stopped; resume with `ckpt_path` {path}")
        self.path = path


class ResumePoint(Callback):
    """Writes a checkpoint to resume from every few minutes, and when Ctrl-C or a termination signal comes.

    All processes stop behind the same step. A second signal ends the run at once.

    Args:
        path: of the checkpoint; removed when training ends by itself.
        minutes: between two of them.
    """

    def __init__(self, path: Path, minutes: float = 10.0) -> None:
        self._path, self._seconds = Path(path), 60 * minutes
        self._last = time.monotonic()
        self._asked = False
        self._before: dict[int, Any] = {}

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Handle signals from now on."""
        self._last = time.monotonic()
        try:
            self._before = {number: signal.signal(number, self._ask) for number in _SIGNALS}
        except ValueError:  # not in the main thread: whoever runs us there handles them
            self._before = {}

    def on_train_batch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *args: Any) -> None:
        """Save where it is time to, and stop where a signal came to any of the processes."""
        agree = trainer.strategy.reduce_boolean_decision
        stop = agree(self._asked, all=False)
        due = trainer.is_global_zero and time.monotonic() - self._last > self._seconds
        if not stop and not agree(due, all=False):
            return
        trainer.save_checkpoint(self._path)
        self._last = time.monotonic()
        if stop:
            raise Stopped(self._path)

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Training is done: nothing is left to resume."""
        self._restore()
        if trainer.is_global_zero:
            self._path.unlink(missing_ok=True)

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, exception: BaseException
    ) -> None:
        """Give the signals back."""
        self._restore()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        self._restore()  # a second one ends the run at once
        log.info("stopping behind the current step")

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
