"""Commands around training: fit, test, validate and predict, which Lightning's own command line runs; export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from capture import InputError
from factory.cli.parser import Command, argument
from training.early_checks import check_checkpoint

EXTRA = "train"  # the optional dependencies of all of them


def train(words: Sequence[str], *, verbose: bool = False) -> int:
    """Run `python -m training` with these words, the command's name first; returns the exit code."""
    from training.cli import main

    return main(words, program="p2p", verbose=verbose)


@dataclass(frozen=True, kw_only=True)
class Export:
    """Options of `export`.

    Attributes:
        checkpoint: checkpoint of `p2p fit`.
        out: file to write, .ckpt.
        calibrate: data set whose heads calibrate the probabilities, those of its `train` and `val` splits that the
            labeller wasn't trained on; as they are where it is left out.
        start: checkpoint that training started from, or `pretrained`: weights become an average of both, which keeps
            more of what that one knew. Calibrate the average.
        start_share: share of that one's weights in the average, 0.5 where it is left out.
    """

    checkpoint: Path = argument()
    out: Path
    calibrate: Path | None = None
    start: str | None = None
    start_share: float | None = None


def export(options: Export) -> None:
    """Make a checkpoint small enough to give away: weights in half precision, and nothing that only training needs."""
    if options.start is None and options.start_share is not None:
        raise InputError(f"`start_share` {options.start_share}: of which labeller? name it with `start`")
    check_checkpoint(options.checkpoint)
    from training.checkpoints.exporting import export_checkpoint

    share = 0.5 if options.start_share is None else options.start_share
    export_checkpoint(options.checkpoint, options.out, options.calibrate, options.start, share)


COMMANDS = {"export": Command(export, EXTRA)}
