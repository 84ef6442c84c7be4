"""The command line of training: LightningCLI, options from YAML or words, one line an error."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import Callback
from lightning.pytorch.cli import LightningArgumentParser

from capture import InputError
from training.callbacks.prediction_pictures import PredictionPictures
from training.callbacks.prediction_writer import PredictionWriter
from training.checkpoints.labeller import read_checkpoint
from training.command import ShardCLI, exit_code_of, quiet_libraries
from training.data.module import HeadData
from training.model.module import SkinLabeller, preparation_of_start
from training.preparation.settings import Preparation

__all__ = ["TrainingCLI", "main", "quiet_libraries", "run"]

log = logging.getLogger(__name__)


class TrainingCLI(ShardCLI):
    """`fit`, `validate`, `test` and `predict` of the skin labeller."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the options of the pictures."""
        super().add_arguments_to_parser(parser)
        parser.add_class_arguments(PictureOptions, "pictures")

    def read(self, path: Path) -> dict[str, Any]:
        """A labeller's checkpoint."""
        return read_checkpoint(path)

    def take_over(self, checkpoint: dict[str, Any]) -> None:
        """Features, coarse mesh and eigenpairs are the checkpoint's; so is the number of heads that are kept aside."""
        description = checkpoint["labeller"]
        self.datamodule.preparation = Preparation.from_json(description["preparation"])
        self.datamodule.keep_aside(description.get("validation_ids", ()))

    def before_fit(self) -> None:
        """Prepare heads; as those of the labeller that training starts from, where it does."""
        if self.subcommand == "fit" and self.model.starts_anew and self.datamodule.mix is not None:
            raise InputError(
                f"`mix` {self.datamodule.mix}: heads are mixed in where training starts from a labeller; name one with "
                "`start`, or join the two data sets with `p2p join`"
            )
        if self.subcommand == "fit" and not self.model.starts_anew:
            self.datamodule.preparation = preparation_of_start(self.datamodule.preparation, self.model.preparation)
        super().before_fit()

    def more_callbacks(self, root: Path) -> list[Callback]:
        """Predictions are written, some validation heads drawn."""
        if self.subcommand == "predict":
            return [PredictionWriter(root / "predictions")]
        if self.subcommand == "fit":
            pictures = self._get(self.config_init, "pictures")
            return [pictures.callback(root / "logs" / "pictures")]
        return []

    def after_predict(self) -> None:
        """Say where the predictions are."""
        log.info("predictions: %s", Path(self.trainer.default_root_dir) / "predictions")


@dataclass(frozen=True)
class PictureOptions:
    """Pictures of predictions on validation heads, `logs/pictures/`.

    Attributes:
        heads: number of validation heads that are drawn; 0 for none.
        every: epochs from one drawing to the next.
    """

    heads: int = 3
    every: int = 5

    def callback(self, folder: Path) -> PredictionPictures:
        """The callback that draws them into `folder`."""
        return PredictionPictures(folder, self.heads, self.every)


def run(arguments: Sequence[str] | None = None, program: str = "python -m training") -> TrainingCLI:
    """Parse and run; raises `InputError` where the user gave something unusable.

    Args:
        arguments: words of the command line; those of this process where None.
        program: its name in the help.
    """
    return TrainingCLI.run(
        arguments, program, "Train the skin labeller, and use it on data sets.", SkinLabeller, HeadData
    )


def main(arguments: Sequence[str] | None = None, *, program: str = "python -m training", verbose: bool = False) -> int:
    """The exit code: 0, or 2 with one line where the user can mend what is wrong."""
    return exit_code_of(lambda: run(arguments, program), verbose=verbose)
