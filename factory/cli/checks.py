"""Checks of files and folders that take no time: a mistake is told before a library is loaded that takes seconds."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from capture import Capture, InputError
from capture.files import explain_os_error, make_folder
from scans.meshes.reading import read_scan
from training.config_files import with_paths

_ROOT = "out/training"  # of a run of `fit` that names none


def check_output(out: Path) -> None:
    """Raise `InputError` where a file or folder can't be written at `out`. Nothing is left of the attempt."""
    if out.exists():
        return
    folder = out.parent if out.suffix else out
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    make_folder(folder)
    probe = folder / f".probe-{os.getpid()}"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        explained = explain_os_error(error, out)
        if isinstance(explained, InputError):
            raise explained from None
        raise InputError(f"can't write {out}: {error.strerror}; choose another output") from None
    for each in missing:
        with suppress(OSError):  # somebody else made something in it meanwhile
            each.rmdir()


def check_checkpoint(path: Path | None) -> None:
    """Raise `InputError` where a checkpoint is not there; None is the one that comes with the program."""
    if path is not None and not path.exists():
        raise InputError(f"checkpoint is missing: {path}; train one with `p2p fit`")


def check_dataset(dataset: str) -> None:
    """Raise `InputError` where no data set is in a folder; a URL passes."""
    if "://" not in dataset and not (Path(dataset) / "dataset.json").is_file():
        raise InputError(f"no data set at {dataset} (no dataset.json); make one with `p2p pack` or name another")


def check_capture(folder: Path, scan: Path | None = None) -> None:
    """Raise `InputError` where a folder is no capture, or its scan is not there."""
    path = scan or Capture.read(folder).scan_path
    if not path.is_file():
        read_scan(path)  # says what is there instead


def check_images(folder: Path) -> None:
    """Raise `InputError` where a folder has no photographs to find cameras of."""
    images = folder / "images"
    if not images.is_dir():
        raise InputError(f"no images: {images} is not there; put the photographs into that folder")


def check_training(words: Sequence[str]) -> None:
    """Raise `InputError` where the files that a command of Lightning's is given are not there."""
    given = with_paths(words)
    options = _options(given)
    if {"help", "h", "print_config"} & set(options):
        return
    dataset, checkpoint = options.get("data.dataset"), options.get("ckpt_path")
    root = Path(str(options.get("trainer.default_root_dir") or _ROOT))
    if checkpoint and checkpoint != "null":
        check_checkpoint(Path(str(checkpoint)))
    if dataset:
        check_dataset(str(dataset))
    check_output(root)
    if words[0] != "fit" and dataset and not checkpoint:
        check_checkpoint(root / "checkpoints" / "best.ckpt")


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
