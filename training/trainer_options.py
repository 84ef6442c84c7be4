"""Options of Lightning's Trainer that our command lines have to follow, and its complaints as one line."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback, Checkpoint
from lightning.pytorch.cli import SaveConfigCallback

from capture import InputError

log = logging.getLogger(__name__)

_LIGHTNING = Path(lightning.__file__).parent
_OURS_IN_BAREBONES = (
    "enable_progress_bar", "enable_model_summary", "num_sanity_val_steps", "log_every_n_steps", "enable_checkpointing",
)  # fmt: skip
_PRECISIONS = ("32-true", "16-mixed", "bf16-mixed")
_OTHER_NAMES = {"16": "16-mixed", "bf16": "bf16-mixed", "32": "32-true"}


def as_list(value: Any) -> list[Any]:
    """The callbacks of a configuration, where one alone needs no list."""
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]


def keeps_checkpoints(config: dict[str, Any]) -> bool:
    """Whether a Trainer of these options writes checkpoints."""
    return config.get("enable_checkpointing") is not False and not config.get("barebones")


def follow(config: dict[str, Any], callbacks: list[Callback]) -> list[Callback]:
    """The callbacks that a Trainer of these options may have; the options lose what contradicts them.

    Raises `InputError` for a precision that the network can't be run in.
    """
    precision = str(config.get("precision") or "32-true")
    if _OTHER_NAMES.get(precision, precision) not in _PRECISIONS:
        cure = f"the network's sparse products need 32 bits; use {', '.join(_PRECISIONS)}"
        raise InputError(f"`trainer.precision` {precision}: {cure}")
    if config.get("barebones"):
        for name in _OURS_IN_BAREBONES:
            config[name] = None
        config["logger"] = None
    if keeps_checkpoints(config):
        return callbacks
    return [callback for callback in callbacks if not isinstance(callback, Checkpoint)]


class SavedConfig(SaveConfigCallback):
    """Writes `config.yaml`; a run whose options no YAML holds goes without."""

    def setup(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str) -> None:
        """As Lightning's; jsonargparse can't write the defaults of some of Lightning's own callbacks."""
        try:
            super().setup(trainer, pl_module, stage)
        except ValueError as error:
            self.already_saved = True
            log.warning("config.yaml is not written: %s", str(error).splitlines()[0])


@contextmanager
def one_line() -> Iterator[None]:
    """Turn Lightning's complaints about its options into `InputError`.

    Those are its own kind of error, and others that its code raises itself; what our code and torch raise passes.
    """
    try:
        yield
    except MisconfigurationException as error:
        raise InputError(_sentence(error)) from error
    except (ValueError, TypeError, NotImplementedError, ImportError, RuntimeError) as error:
        frames = traceback.extract_tb(error.__traceback__)
        if not frames or _LIGHTNING not in Path(frames[-1].filename).parents:
            raise
        raise InputError(_sentence(error)) from error


def _sentence(error: Exception) -> str:
    return f"Lightning's Trainer: {' '.join(str(error).split())}"
