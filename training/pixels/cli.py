"""The command line that trains the per-image segmenter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.command import ShardCLI, exit_code_of
from training.early_checks import PIXEL_ROOT
from training.pixels.checkpoint import read_checkpoint
from training.pixels.data import PixelData
from training.pixels.module import KEY, PixelLabeller


class PixelCLI(ShardCLI):
    """`fit`, `validate` and `test` of the per-image segmenter."""

    ROOT = PIXEL_ROOT
    MONITOR_TEXT = "val mIoU of skin"

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        """No `predict`: `UNetSegmenter` is what asks it."""
        known = ShardCLI.subcommands()
        return {name: known[name] for name in ("fit", "validate", "test")}

    def read(self, path: Path) -> dict[str, Any]:
        """A segmenter's checkpoint."""
        return read_checkpoint(path)

    def take_over(self, checkpoint: dict[str, Any]) -> None:
        """The resolution is the checkpoint's."""
        self.datamodule.resolution = checkpoint[KEY]["resolution"]


def run(arguments: Sequence[str] | None = None) -> PixelCLI:
    """Parse and run; raises `InputError` where the user gave something unusable."""
    program, text = "python -m training.pixels", "Train the per-image segmenter, and measure it."
    return PixelCLI.run(arguments, program, text, PixelLabeller, PixelData)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, or 2 with one line where the user can mend what is wrong."""
    return exit_code_of(lambda: run(arguments))
