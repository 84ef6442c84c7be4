"""Checks of a training command's files, before Lightning is loaded: that takes ten seconds."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from capture import InputError
from capture.files import check_output
from training.config_files import with_paths
from training.help_text import COMMANDS

ROOT = "out/training"  # of a labeller's run of `fit` that names none
PIXEL_ROOT = "out/training/pixels"  # of a per-image segmenter's


def check_checkpoint(path: Path | None) -> None:
    """Raise `InputError` where a checkpoint is not there; None is the one that comes with the program."""
    if path is not None and not path.exists():
        raise InputError(f"checkpoint is missing: {path}; train one with `p2p fit`")


def check_dataset(dataset: str) -> None:
    """Raise `InputError` where no data set is in a folder; a URL passes."""
    if "://" not in dataset and not (Path(dataset) / "dataset.json").is_file():
        raise InputError(f"no data set at {dataset} (no dataset.json); make one with `p2p pack` or name another")


def check_training(words: Sequence[str], default_root: str) -> None:
    """Raise `InputError` where the files that a command of Lightning's is given are not there.

    Args:
        words: of the command line, the subcommand first.
        default_root: folder of a run of `fit` that names none.
    """
    if not words or words[0] not in COMMANDS:
        return
    given = with_paths(words)
    options = _options(given)
    if {"help", "h", "print_config"} & set(options):
        return
    dataset, checkpoint = options.get("data.dataset"), options.get("ckpt_path")
    root = Path(str(options.get("trainer.default_root_dir") or default_root))
    start, mix = options.get("model.start"), options.get("data.mix")
    if start and start not in ("null", "pretrained"):
        check_checkpoint(Path(str(start)))
    if mix and mix != "null":
        check_dataset(str(mix))
    if checkpoint and checkpoint != "null":
        check_checkpoint(Path(str(checkpoint)))
    if dataset:
        check_dataset(str(dataset))
    check_output(root)
    if words[0] != "fit" and dataset and not checkpoint:
        check_checkpoint(root / "checkpoints" / "best.ckpt")


def told_early(words: Sequence[str], default_root: str = ROOT) -> bool:
    """Whether a mistake was found and told on stderr."""
    try:
        check_training(words, default_root)
    except InputError as error:
        sys.stderr.write(f"error: {error}\n")
        return True
    return False


def _options(words: Sequence[str]) -> dict[str, Any]:
    """Option -> value of a command line, those of its files among them; of several the last."""
    found: dict[str, Any] = {}
    for at, word in enumerate(words):
        name, separator, value = word.lstrip("-").partition("=")
        if not word.startswith("-"):
            continue
        if not separator:
            value = words[at + 1] if at + 1 < len(words) else ""
        if name in ("config", "c"):
            with suppress(OSError, yaml.YAMLError, UnicodeDecodeError):  # the parser says what is wrong
                found |= _flat(yaml.load(Path(value).read_text(encoding="utf-8"), Loader=yaml.BaseLoader))
        found[name] = value
    return found


def _flat(value: Any, before: str = "") -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {before.removesuffix("."): value}
    return {name: each for key, inner in value.items() for name, each in _flat(inner, f"{before}{key}.").items()}
