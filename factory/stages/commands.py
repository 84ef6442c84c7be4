"""Stages that are commands of `p2p`, in processes of their own."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from factory.stages.processes import run_stage
from factory.stages.settings import Execution
from factory.stages.usage import Usage


def module_command(module: str, *words: object) -> list[str]:
    """The command line that runs a module with this Python; see `capture.runtime.import_path` for where it is found."""
    return [sys.executable, "-m", module, *map(str, words)]


def p2p(*words: object) -> list[str]:
    """The command line that runs `p2p` with this Python."""
    return module_command("factory.cli", *words)


def run_command(stage: str, folder: Path, options: Mapping[str, Any], execution: Execution) -> Usage:
    """Run `p2p <stage>` on a capture, with settings by their names. Raises as `run_stage` does."""
    words = [word for name, value in options.items() for word in _option(name, value)]
    return run_stage(
        p2p(stage, folder, *words),
        f"{stage} {folder.name}",
        log_path(folder, stage),
        execution.show,
        execution.limits,
        execution.threads,
        execution.scratch,
    )


def log_path(folder: Path, stage: str) -> Path:
    """The file that keeps the output of a capture's stage."""
    return folder.parent / "logs" / f"{folder.name}.{stage}.log"


def _option(name: str, value: Any) -> list[str]:
    """A setting as words of a command line."""
    text = "null" if value is None else ",".join(value) if isinstance(value, list) else str(value)
    return [f"--{name.replace('_', '-')}", text]
