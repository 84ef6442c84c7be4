"""The command that compares methods: evaluate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from evaluation.options import Baselines, EvaluateOptions
from factory.cli.parser import Command, argument, group
from factory.console import track
from training.early_checks import check_dataset


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Options of `evaluate`.

    Attributes:
        dataset: folder of the data set.
        out: output folder: the page, the numbers and the cache.
    """

    dataset: Path = argument()
    out: Path = Path("out/evaluation")
    options: EvaluateOptions = group(EvaluateOptions(), without=("baselines",))
    baselines: Baselines = group(Baselines(), "segmenters of single images, to compare with")


def evaluate(options: Evaluate) -> None:
    """Measure labels and registrations of every method on the same heads: the paper's tables and more."""
    check_dataset(str(options.dataset))
    from evaluation.run import evaluate as run
    from training.memory import keep_freed_memory

    keep_freed_memory()
    chosen = replace(options.options, baselines=options.baselines)
    with track("evaluating", 0) as bar:
        run(options.dataset, options.out, chosen, lambda done, total, step: bar(done, step, total))


COMMANDS = {"evaluate": Command(evaluate, "evaluate")}
