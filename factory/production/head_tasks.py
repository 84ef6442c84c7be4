"""One stage of one head, on whatever machine it happens to run: files in, files out, nothing left behind."""

from __future__ import annotations

import io
import json
import socket
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from capture import Capture, InputError, read_json
from capture.labels import is_painted
from factory.dataset.store import Store
from factory.production.disk_space import patiently, scratch_bytes, wait_for_space, working_folder
from factory.production.plan import Plan
from factory.production.resources import Need
from factory.stages.failures import Failure, StageError, kind_of
from factory.stages.heads import generate_head, head_name, label_head, log_path, reconstruct_head
from factory.stages.processes import run_stage
from factory.stages.settings import Execution
from factory.stages.stamps import OUTPUTS, read_record, stamp_path

PARTS = "parts"
CAPTURES = "captures"
_AGAIN_S = 20.0
_LOG_KEPT = 1 << 16  # bytes of a failed stage's output, its end

# Called with what happened and plain values about it.
Tell = Callable[..., None]


@dataclass(frozen=True)
class Job:
    """What every stage of every head of a run knows.

    Attributes:
        plan: of the data set.
        store: where it goes.
        needs: stage -> what it may take, all filled in.
        pixels: of all images of a head.
        keep_captures: whether captures stay in the store, and are used again.
        scratch: folder for working files; None for the machine's own.
    """

    plan: Plan
    store: Store
    needs: Mapping[str, Need]
    pixels: int
    keep_captures: bool = False
    scratch: Path | None = None


class HeadError(Exception):
    """A stage of a head failed.

    Attributes:
        evidence: plain values: id, stage, kind, reason, node, time, log (the end of what the stage said).
    """

    def __init__(self, evidence: Mapping[str, Any]) -> None:
        super().__init__(evidence)
        self.evidence = dict(evidence)

    def __str__(self) -> str:
        return "{stage} {id}: {kind}: {reason}".format(**self.evidence)


class AttemptError(HeadError):
    """Another attempt may do better."""


class RejectedError(HeadError):
    """The same would happen again: the stage refused its input, or the head is not good enough."""


@dataclass
class _Stage:
    """A stage that is being run."""

    job: Job
    name: str
    seed: int
    tell: Tell
    evidence: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.evidence = {"id": head_name(self.seed), "stage": self.name, "node": socket.gethostname()}

    def fail(self, kind: Failure, reason: str, log: Path | None) -> HeadError:
        text = _tail(log) if log is not None and log.is_file() else ""
        if log is not None:  # it is gone when the user reads this, with the folder that it is in
            reason = reason.replace(f"; its whole output is in {log}", "")
            reason = reason.replace(f"{log.parent.parent}/", "")
        evidence = {**self.evidence, "kind": str(kind), "reason": reason, "log": text, "time": round(time.time(), 3)}
        return (RejectedError if kind in (Failure.DATA, Failure.QUALITY) else AttemptError)(evidence)

    def attempt_failed(self, error: Exception, log: Path) -> HeadError:
        """Tell why; returns it where a disk was full, which only takes waiting, and raises it otherwise."""
        kind = kind_of(error)
        known = isinstance(error, StageError | InputError)
        failed = self.fail(kind, str(error) if known else f"{type(error).__name__}: {error}", log)
        self.tell("attempt failed", **failed.evidence)
        if kind is not Failure.DISK:
            raise failed from None
        return failed


def make(job: Job, stage: str, seed: int, tell: Tell, *inputs: bytes) -> bytes:
    """Run `generate`, `reconstruct` or `label` of one head.

    Args:
        job: the run's.
        stage: name.
        seed: of the head.
        tell: told "started", "stage" (when done), "paused" and "attempt failed".
        inputs: what the stages before it returned, in order.

    Returns:
        A tar of the files that the stage left, for the stages after it.

    Raises:
        AttemptError, RejectedError: why there is nothing.
    """
    running = _Stage(job, stage, seed, tell)
    tell("started", **running.evidence)
    while True:
        with _workplace(job, running) as root:
            folder = root / head_name(seed)
            log = log_path(folder, stage)
            try:
                for archive in inputs:
                    _unpack(archive, root)
                if job.keep_captures:
                    _fetch(job.store, folder, stage)
                found = read_record(folder, stage)
                _run(job, stage, seed, root)
                if stage == "label":
                    _judge(job, running, folder)
                reused = found is not None and found == read_record(folder, stage)
                if job.keep_captures and not reused:
                    _keep(job.store, folder, stage, tell)
                _tell_done(running, folder, reused)
                return _pack(root, folder, stage)
            except HeadError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it costs this head's attempt and no more
                failed = running.attempt_failed(error, log)
        tell("paused", reason=str(failed), node=running.evidence["node"])
        time.sleep(_AGAIN_S)  # the disk was full, perhaps of what other stages had there


def pack(job: Job, slot: int, seed: int, tell: Tell, *inputs: bytes) -> str:
    """Write a labelled head as a part of the data set; returns the part's name. Raises as `make` does."""
    running = _Stage(job, "pack", seed, tell)
    tell("started", **running.evidence)
    while True:
        started = time.monotonic()
        with _workplace(job, running) as root:
            folder, path = root / head_name(seed), root / "part.tar"
            log = log_path(folder, "pack")
            try:
                for archive in inputs:
                    _unpack(archive, root)
                need = job.needs["pack"]
                words = map(str, (folder, path, slot, job.plan.key))
                command = [sys.executable, "-m", "factory.production.pack_head", *words]
                used = run_stage(command, f"pack {folder.name}", log, None, need.limits, need.cpus, root)
                put_when_there_is_room(job.store, path, f"{PARTS}/{part_name(slot, seed)}", tell)
                seconds = round(time.monotonic() - started, 2)
                tell("stage", **running.evidence, seconds=seconds, peak_gib=used.peak_gib)
                return part_name(slot, seed)
            except Exception as error:  # noqa: BLE001 - as in `make`
                failed = running.attempt_failed(error, log)
        tell("paused", reason=str(failed), node=running.evidence["node"])
        time.sleep(_AGAIN_S)


def part_name(slot: int, seed: int) -> str:
    """File name of the part that holds the head of a slot."""
    return f"{slot:08d}-{seed:08d}.tar"


def put_when_there_is_room(store: Store, path: Path, name: str, tell: Tell) -> None:
    """Copy a file into the store; while a disk there is full, wait and say so."""

    def say(why: str) -> None:
        tell("paused", reason=why, node=socket.gethostname())

    patiently(lambda: store.put(path, name), store.local, 2 * path.stat().st_size, say)


def _run(job: Job, stage: str, seed: int, root: Path) -> None:
    need = job.needs[stage]
    execution = Execution(need.cpus, need.limits, scratch=root)
    folder = root / head_name(seed)
    if stage == "generate":
        generate_head(seed, root, job.plan.render, execution)
    elif stage == "reconstruct":
        reconstruct_head(folder, job.plan.scan, execution)
    else:
        label_head(folder, job.plan.scan, execution)


def _judge(job: Job, running: _Stage, folder: Path) -> None:
    reasons = job.plan.gates.reasons(read_json(folder / Capture.QUALITY, "the quality of a capture"))
    if reasons:
        failed = running.fail(Failure.QUALITY, "; ".join(reasons), log_path(folder, running.name))
        running.tell("attempt failed", **failed.evidence)
        raise failed


def _tell_done(running: _Stage, folder: Path, reused: bool) -> None:
    """Say that a stage is done; of one that a former run did, the time that it took then."""
    record = read_record(folder, running.name)
    used = {"seconds": record.seconds, "peak_gib": record.peak_gib, "times": dict(record.times)} if record else {}
    running.tell("stage", **running.evidence, **{"seconds": None, "peak_gib": None} | used, reused=reused)


@contextmanager
def _workplace(job: Job, running: _Stage) -> Iterator[Path]:
    """A folder on this machine's disk, with room in it, that is gone afterwards."""
    scratch = Path(job.scratch or tempfile.gettempdir())
    scratch.mkdir(parents=True, exist_ok=True)
    needed = scratch_bytes(job.pixels)
    wait_for_space(scratch, needed, lambda why: running.tell("paused", reason=why, node=running.evidence["node"]))
    with working_folder(scratch) as folder:
        yield Path(folder)


def _pack(root: Path, folder: Path, stage: str) -> bytes:
    """A tar of what a stage left in a capture's folder, with its stamp."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in _left_by(folder, stage):
            tar.add(path, path.relative_to(root).as_posix())
    return buffer.getvalue()


def _unpack(archive: bytes, root: Path) -> None:
    """Write the files of an archive below `root`. Safe filters for `extractall` came with Python 3.11.4 only."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            path, content = root / member.name, tar.extractfile(member)
            if content is None or root.resolve() not in path.resolve().parents:
                raise ValueError(f"{member.name}: no file that a stage left")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.read())


def _left_by(folder: Path, stage: str) -> list[Path]:
    paths = {path for pattern in OUTPUTS[stage] for path in folder.glob(pattern) if path.is_file()}
    return sorted(paths | {stamp_path(folder, stage)})


def _keep(store: Store, folder: Path, stage: str, tell: Tell) -> None:
    """Copy a stage's files into the store; the stamp comes last, and proves that the others are there.

    Labels that a person painted in the store stay, and those of the stage are not kept.
    """
    stamp = stamp_path(folder, stage)
    if stage == "label" and _is_painted(store, f"{CAPTURES}/{folder.name}/{Capture.LABELS}", folder):
        return
    for path in [*(path for path in _left_by(folder, stage) if path != stamp), stamp]:
        put_when_there_is_room(store, path, f"{CAPTURES}/{folder.name}/{path.relative_to(folder).as_posix()}", tell)


def _is_painted(store: Store, name: str, folder: Path) -> bool:
    """Whether a file of the store holds labels that a person painted; `folder` is for a copy of it."""
    if not store.exists(name):
        return False
    copy = folder / "stored_labels.npz"
    copy.write_bytes(store.read(name))
    return is_painted(copy)


def _fetch(store: Store, folder: Path, stage: str) -> None:
    """Bring what a stage has left in the store before; its stamp decides whether that is used."""
    prefix = f"{CAPTURES}/{folder.name}"
    stamp = stamp_path(folder, stage).relative_to(folder).as_posix()
    if not store.exists(f"{prefix}/{stamp}"):
        return
    try:
        record = json.loads(store.read(f"{prefix}/{stamp}"))
        names = [stamp, *map(str, record["files"])]
        for name in names:
            path = folder / name
            if folder.resolve() not in path.resolve().parents:
                return  # nothing that we wrote
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(store.read(f"{prefix}/{name}"))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return  # half of it was kept: the stage runs


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(0, io.SEEK_END)
        file.seek(max(0, file.tell() - _LOG_KEPT))
        return file.read().decode(errors="replace")
