"""Which stages of a capture are whole: each leaves a stamp of what it was made from.

A stamp lies in `<capture>/stages/<stage>.json`. A stage is whole when its output is there and its stamp equals
the wanted one; a stamp includes those of the stages before it, so a change upstream redoes what follows.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capture import InputError, read_json, write_json

STAGES = ("generate", "reconstruct", "label")


@dataclass(frozen=True)
class StageRecord:
    """What a stage was run with, and how long it took.

    Attributes:
        key: hash of the stage's options, its code's version and the stages before it.
        seconds: wall-clock time.
    """

    key: str
    seconds: float


def stage_key(options: Mapping[str, Any], before: Sequence[str] = ()) -> str:
    """A hash of JSON-like options and of the keys of the stages before."""
    text = json.dumps([options, list(before)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_record(folder: Path, stage: str) -> StageRecord | None:
    """The stamp of a stage, None where there is none."""
    path = _path(folder, stage)
    if not path.is_file():
        return None
    try:
        value = read_json(path, f"the stamp of stage {stage}")
        return StageRecord(str(value["key"]), float(value["seconds"]))
    except (InputError, KeyError, TypeError, ValueError):
        return None  # a stamp that can't be read proves nothing: the stage runs again


def run_if_needed(folder: Path, stage: str, key: str, outputs: Sequence[Path], run: Callable[[], None]) -> bool:
    """Run a stage unless it is whole; stamp it when it ends. Returns whether it ran."""
    record = read_record(folder, stage)
    if record is not None and record.key == key and all(path.exists() for path in outputs):
        return False
    _path(folder, stage).unlink(missing_ok=True)
    started = time.monotonic()
    run()
    write_json(_path(folder, stage), {"key": key, "seconds": round(time.monotonic() - started, 2)})
    return True


def timings(folder: Path) -> dict[str, float]:
    """Seconds per stage, for those that are stamped."""
    records = {stage: read_record(folder, stage) for stage in STAGES}
    return {stage: record.seconds for stage, record in records.items() if record is not None}


def _path(folder: Path, stage: str) -> Path:
    return Path(folder) / "stages" / f"{stage}.json"
