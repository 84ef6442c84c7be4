"""Stamps of the finished stages of a capture: what each was made from.

A stamp lies in `<capture>/stages/<stage>.json`. A stage is whole when its stamp equals the wanted one and its outputs
are still the files that it left, whoever else wrote there since; a stamp includes the result of the stage before it, so
a change upstream redoes what follows.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from capture import Capture, InputError, read_json, write_json
from capture.derived import PREDICTION, REGISTRATION, keep_aside, remove_files, shorten
from capture.files import sha256_of
from capture.labels import is_painted
from factory.stages.registry import STAGES
from factory.stages.usage import Usage, own_usage
from generator import GENERATOR_VERSION

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class StageRecord:
    """The record of a finished stage: its options, outputs and time.

    Attributes:
        key: hash of the stage's options, the versions of program, generator and stage, and the stage before it.
        seconds: wall-clock time.
        peak_gib: most memory that the process of the stage, or one that it started, has held.
        options: what the user chose, as plain values.
        files: output, relative to the capture's folder -> SHA-256.
        times: step -> seconds, of stages that tell.
    """

    key: str
    seconds: float
    peak_gib: float
    options: Mapping[str, Any]
    files: Mapping[str, str]
    times: Mapping[str, float] = field(default_factory=dict)

    @property
    def result(self) -> str:
        """A name for what the stage made, which the stages after it are made from."""
        return _digest([self.key, dict(self.files)])


def stage_key(folder: Path, stage: str, options: Mapping[str, Any]) -> str:
    """The stamp that `stage` has when it is run with `options` (plain values) on what stands in `folder` now."""
    earlier = list(STAGES)[: list(STAGES).index(stage)]
    before = read_record(folder, earlier[-1]) if earlier else None
    made_with = [version("pixels2points"), GENERATOR_VERSION]
    if STAGES[stage].version is not None:
        made_with.append(str(STAGES[stage].version))
    return _digest([made_with, stage, options, before.result if before else None])


def read_record(folder: Path, stage: str) -> StageRecord | None:
    """The stamp of a stage, None where there is none."""
    path = stamp_path(folder, stage)
    if not path.is_file():
        return None
    try:
        value = read_json(path, f"the stamp of stage {stage}")
        return StageRecord(
            str(value["key"]),
            float(value["seconds"]),
            float(value.get("peak_gib", 0)),
            dict(value["options"]),
            dict(value["files"]),
            {str(step): float(seconds) for step, seconds in value.get("times", {}).items()},
        )
    except (InputError, KeyError, TypeError, ValueError, AttributeError):
        return None  # a stamp that can't be read proves nothing: the stage runs again


def is_whole(folder: Path, stage: str, key: str) -> bool:
    """Whether the stage has been run to its end with this key and its outputs are still what it left."""
    record = read_record(folder, stage)
    return record is not None and record.key == key and dict(record.files) == _files(folder, stage)


def changed_files(folder: Path, stage: str) -> list[str]:
    """Names of a stage's outputs that are no longer as it left them, or gone, or new. Without a stamp, all of them."""
    record, now = read_record(folder, stage), _files(folder, stage)
    left = dict(record.files) if record else {}
    return [name for name in dict.fromkeys([*left, *now]) if left.get(name) != now.get(name)]


def is_made(folder: Path, stage: str, options: Mapping[str, Any]) -> bool:
    """Whether the stage has been run to its end with these options on what stands in `folder`."""
    return is_whole(folder, stage, stage_key(folder, stage, options))


def foreign_inputs(folder: Path, stage: str) -> dict[str, str]:
    """The part of a stamp beside the options where the stage works on files that no stage left so: a user's own images.

    Empty where the stages before it have left all that stands there, as their stamps prove.
    """
    earlier = list(STAGES)[: list(STAGES).index(stage)]
    if all(read_record(folder, name) and not changed_files(folder, name) for name in earlier):
        return {}
    paths = {path for name in earlier for path in _outputs(folder, name)}
    for name in ("images", "masks", "sparse"):
        paths |= {path for path in (Path(folder) / name).rglob("*") if path.is_file()}
    return {"inputs": _digest({path.relative_to(folder).as_posix(): sha256_of(path) for path in paths})}


def run_stamped(
    folder: Path,
    stage: str,
    options: Mapping[str, Any],
    run: Callable[[], _Result],
    used: Callable[[_Result], Usage] = lambda _: own_usage(),
) -> _Result:
    """Run a stage and stamp it when it ends; while it runs the folder has no stamp of it.

    `used` gives what it took from what it returned.

    What was made of its former outputs, by later stages and by other commands, is removed once the new ones are there,
    unless they are the same. A former output that the stage did not leave so, such as a scan of the user's own, is kept
    in the folder `replaced`.
    """
    key, before = stage_key(folder, stage, options), _files(folder, stage)
    was_whole = is_whole(folder, stage, key)
    with _keeping_foreign(folder, stage):
        stamp_path(folder, stage).unlink(missing_ok=True)
        started = time.monotonic()
        result = run()
        seconds = round(time.monotonic() - started, 2)
    files = _files(folder, stage)
    if not was_whole or before != files:
        _forget_after(folder, stage)
    stamp = {
        "key": key,
        "seconds": seconds,
        **asdict(used(result)),
        "options": dict(options),
        "files": files,
    }
    write_json(stamp_path(folder, stage), stamp)
    return result


@contextmanager
def _keeping_foreign(folder: Path, stage: str) -> Iterator[None]:
    """Keep the outputs that stand there and are not the stage's own; not of rendering, which is refused before."""
    names = changed_files(folder, stage) if stage != next(iter(STAGES)) else []
    there = [path for path in (Path(folder) / name for name in names) if path.is_file()]
    kept = {path: keep_aside(path) for path in there}
    try:
        yield
    except BaseException:
        for copy in kept.values():  # nothing took the place of the file
            copy.unlink(missing_ok=True)
            with suppress(OSError):
                copy.parent.rmdir()
        raise
    for path, copy in kept.items():
        log.warning("%s was not what `p2p %s` had left: kept as %s", path, stage, copy)


def _forget_after(folder: Path, stage: str) -> None:
    """Remove what was made of a stage's former outputs, and say so."""
    later = list(STAGES)[list(STAGES).index(stage) + 1 :]
    if later:
        removed = forget(folder, later[0])
    elif _registered_by(folder, Capture.LABELS):
        removed = remove_files(folder, REGISTRATION)
    else:
        removed = []
    if removed:
        log.info("%s: %s removed, which came of the former %s", folder, shorten(removed), _MADE.get(stage, stage))


_MADE = {"generate": "images", "reconstruct": "scan", "label": "labels"}


def _registered_by(folder: Path, labels: str) -> bool:
    """Whether the registration in a capture went by its labels."""
    path = Path(folder) / REGISTRATION[0]
    try:
        source = str(read_json(path, "the registration")["labels"]) if path.is_file() else ""
    except (InputError, KeyError, TypeError):
        return False
    used = Path(source.rpartition(" in ")[2])
    return used.name == labels and used.parent.name in ("", Path(folder).name)


def forget(folder: Path, first: str) -> list[str]:
    """Remove the outputs and stamps of `first` and of all stages after it, and what else was made of the scan.

    They show what is no longer there. Returns the names of the files that were outputs.

    Labels that somebody painted stay: no stage made them, and they are refused for any other scan than their own.
    """
    removed = []
    for stage in list(STAGES)[list(STAGES).index(first) :]:
        stamp_path(folder, stage).unlink(missing_ok=True)
        for path in _outputs(folder, stage):
            if path.name != Capture.LABELS or not is_painted(path):
                path.unlink(missing_ok=True)
                removed.append(path.relative_to(folder).as_posix())
    return [*removed, *remove_files(folder, (*PREDICTION, *REGISTRATION))]


def history(folder: Path) -> dict[str, dict[str, Any]]:
    """Options and costs of the stamped stages: stage -> seconds, peak_gib, times and options."""
    records = {stage: read_record(folder, stage) for stage in STAGES}
    return {
        stage: {key: getattr(record, key) for key in ("seconds", "peak_gib", "times", "options")}
        for stage, record in records.items()
        if record is not None
    }


def _outputs(folder: Path, stage: str) -> list[Path]:
    """The outputs of a stage that are there."""
    return sorted(path for pattern in STAGES[stage].outputs for path in Path(folder).glob(pattern) if path.is_file())


def _files(folder: Path, stage: str) -> dict[str, str]:
    """Output, relative to the folder -> SHA-256."""
    found = {}
    for path in _outputs(folder, stage):
        found[path.relative_to(folder).as_posix()] = sha256_of(path)
    return found


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def stamp_path(folder: Path, stage: str) -> Path:
    """The file of a stage's stamp."""
    return Path(folder) / "stages" / f"{stage}.json"
