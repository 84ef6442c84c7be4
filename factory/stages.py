"""Which stages of a capture are whole: each leaves a stamp of what it was made from.

A stamp lies in `<capture>/stages/<stage>.json`. A stage is whole when its outputs are there and its stamp equals
the wanted one; a stamp includes that of the stage before it, so a change upstream redoes what follows.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from capture import Capture, InputError, read_json, write_json

_Result = TypeVar("_Result")

# In the order of the work, with what each leaves in the capture's folder.
OUTPUTS: dict[str, tuple[str, ...]] = {
    "generate": (Capture.INFO, Capture.HEAD),
    "reconstruct": (Capture.SCAN,),
    "label": (Capture.LABELS,),
}


@dataclass(frozen=True)
class StageRecord:
    """What a stage was run with, and how long it took.

    Attributes:
        key: hash of the stage's options, the program's version and the stage before it.
        seconds: wall-clock time.
        options: what the user chose, as plain values.
    """

    key: str
    seconds: float
    options: Mapping[str, Any]


def stage_key(folder: Path, stage: str, options: Mapping[str, Any]) -> str:
    """The stamp that `stage` has when it is run with `options` (plain values) on what stands in `folder` now."""
    earlier = list(OUTPUTS)[: list(OUTPUTS).index(stage)]
    before = read_record(folder, earlier[-1]) if earlier else None
    made_from = [version("pixels2points"), stage, options, before.key if before else None]
    return hashlib.sha256(json.dumps(made_from, sort_keys=True, default=str).encode()).hexdigest()[:16]


def read_record(folder: Path, stage: str) -> StageRecord | None:
    """The stamp of a stage, None where there is none."""
    path = _path(folder, stage)
    if not path.is_file():
        return None
    try:
        value = read_json(path, f"the stamp of stage {stage}")
        return StageRecord(str(value["key"]), float(value["seconds"]), dict(value["options"]))
    except (InputError, KeyError, TypeError, ValueError):
        return None  # a stamp that can't be read proves nothing: the stage runs again


def is_whole(folder: Path, stage: str, key: str) -> bool:
    """Whether the stage has been run to its end with this key and its outputs are still there."""
    record = read_record(folder, stage)
    return record is not None and record.key == key and all((folder / name).exists() for name in OUTPUTS[stage])


def run_stamped(folder: Path, stage: str, options: Mapping[str, Any], run: Callable[[], _Result]) -> _Result:
    """Run a stage and stamp it when it ends; while it runs the folder has no stamp of it."""
    key = stage_key(folder, stage, options)
    _path(folder, stage).unlink(missing_ok=True)
    started = time.monotonic()
    result = run()
    seconds = round(time.monotonic() - started, 2)
    write_json(_path(folder, stage), {"key": key, "seconds": seconds, "options": dict(options)})
    return result


def forget(folder: Path, first: str) -> None:
    """Remove the outputs and stamps of `first` and of all stages after it: they show what is no longer there."""
    for stage in list(OUTPUTS)[list(OUTPUTS).index(first) :]:
        _path(folder, stage).unlink(missing_ok=True)
        for name in OUTPUTS[stage]:
            (Path(folder) / name).unlink(missing_ok=True)


def history(folder: Path) -> dict[str, dict[str, Any]]:
    """What the stamped stages were run with and how long they took: stage -> {"seconds", "options"}."""
    records = {stage: read_record(folder, stage) for stage in OUTPUTS}
    return {
        stage: {"seconds": record.seconds, "options": dict(record.options)}
        for stage, record in records.items()
        if record is not None
    }


def _path(folder: Path, stage: str) -> Path:
    return Path(folder) / "stages" / f"{stage}.json"
