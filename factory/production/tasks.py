"""The stages as Ray tasks: Ray places them, moves their inputs, and repeats them where a process or a node dies."""

from __future__ import annotations

import hashlib
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EIO
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from capture import InputError
from factory.dataset.archive import DamagedError, Entry, Index, check_archive, read_contents, read_index, write_archive
from factory.dataset.store import Store
from factory.production.disk_space import working_folder
from factory.production.existing import PART_NAME, checksum_name, read_checksum
from factory.production.head_tasks import PARTS, AttemptError, Job, Tell, make, pack, part_name
from factory.production.resources import STAGES, Need
from factory.stages.failures import Failure, kind_of

RETRIES = 2  # of a stage, by Ray: three attempts in all
_AGAIN_S = 5.0
_BOOKKEEPING = Need(cpus=1, gib=1.0)  # joining and checking shards


class Journal:
    """Where tasks on all nodes tell what happens, and the driver hears it. Losing it loses no data."""

    KEPT = 100_000  # a driver that hears nothing for so long has other troubles

    def __init__(self) -> None:
        self._events: deque[dict[str, Any]] = deque(maxlen=self.KEPT)

    def tell(self, event: str, values: Mapping[str, Any]) -> None:
        self._events.append({"event": event, **values})

    def drain(self) -> list[dict[str, Any]]:
        """All that was told since the last time."""
        events = list(self._events)
        self._events.clear()
        return events


def start_journal() -> Any:
    """The actor, on the driver's node."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    options = {"num_cpus": 0, "max_concurrency": 1, "max_restarts": -1, "scheduling_strategy": here}
    return ray.remote(Journal).options(**options).remote()


@dataclass(frozen=True)
class Teller:
    """Tells a journal; travels to other processes."""

    journal: Any

    def __call__(self, event: str, **values: Any) -> None:
        self.journal.tell.remote(event, values)


class Crew:
    """Submits work to Ray.

    Args:
        job: what all stages know.
        journal: from `start_journal`.
        stages: other functions in the place of `make` and `pack`, for measurements without real work.
    """

    def __init__(self, job: Job, journal: Any, stages: tuple[Callable[..., bytes], Callable[..., str]] = (make, pack)):
        self._run = job
        self._job, self._tell = ray.put(job), Teller(journal)
        self._make = {stage: _task(stages[0], job.needs[stage]) for stage in STAGES[:-1]}
        self._pack = _task(stages[1], job.needs["pack"])
        self._join = _task(join_parts, _BOOKKEEPING)
        self._check = _task(check_shard, _BOOKKEEPING)

    def head(self, slot: int, seed: int) -> ray.ObjectRef:
        """All stages of a head; gives the name of its part."""
        made: list[ray.ObjectRef] = []
        for stage, task in self._make.items():
            made.append(task.remote(self._job, stage, seed, self._tell, *made))
        return self._pack.remote(self._job, slot, seed, self._tell, *made)

    def join(self, name: str, parts: Sequence[str]) -> ray.ObjectRef:
        """Make a shard of parts, which are removed then; gives the names of parts that are damaged."""
        return self._join.remote(self._shard(name), list(parts))

    def check(self, name: str) -> ray.ObjectRef:
        """Read a shard; where it is damaged, take it apart. Gives None, or why and the parts that were saved."""
        return self._check.remote(self._shard(name))

    def _shard(self, name: str) -> ShardJob:
        job = self._run
        return ShardJob(job.store, job.plan.key, name, job.plan.shards[name], job.scratch, self._tell)


def _task(function: Callable[..., Any], need: Need) -> Any:
    return ray.remote(function).options(
        **need.resources, max_retries=RETRIES, retry_exceptions=[AttemptError], name=function.__name__
    )


@dataclass(frozen=True)
class ShardJob:
    """What making or checking a shard takes.

    Attributes:
        store: of the data set.
        key: of its plan.
        name: of the shard.
        slots: that it holds, in order.
        scratch: folder for working files; None for the machine's own.
        tell: told what stops the work.
    """

    store: Store
    key: str
    name: str
    slots: tuple[int, ...]
    scratch: Path | None
    tell: Tell

    def fits(self, index: Index) -> bool:
        """Whether an archive is this shard."""
        return index.made_from == self.key and tuple(entry.slot for entry in index.entries) == self.slots

    def where(self) -> TemporaryDirectory[str]:
        """A folder for working files, which is gone after its block."""
        return working_folder(self.scratch)


def join_parts(job: ShardJob, parts: Sequence[str]) -> list[str]:
    """Write a shard of parts, in their order, and remove them once it is safe.

    The shard's checksum lies beside it, as `sha256sum -c` reads it. Returns the parts that are damaged: these are
    removed and there is no shard then.
    """
    if not _is_there(job):  # unless a former attempt came so far
        entries: list[Entry] = []
        damaged = []
        for slot, part in zip(job.slots, parts, strict=True):
            index = _read_part(job, part)
            if index is None or index.made_from != job.key or [entry.slot for entry in index.entries] != [slot]:
                damaged.append(part)
            else:
                entries += index.entries
        if damaged:
            for part in damaged:
                job.store.remove(f"{PARTS}/{part}")
            return damaged
        _write_when_there_is_room(job, lambda: _write_shard(job, Index(job.key, tuple(entries)), parts))
    for part in parts:
        job.store.remove(f"{PARTS}/{part}")
    return []


def check_shard(job: ShardJob) -> tuple[str, list[str]] | None:
    """Read a whole shard. Returns None where it is as it was written.

    Where it isn't, the heads in it that are whole become parts again and the shard is removed: returns why, and the
    parts.
    """
    store, name = job.store, job.name
    try:
        with store.open(name) as file, _damage_if_unreadable():
            check_archive(file)
            file.seek(0)
            if hashlib.file_digest(file, "sha256").hexdigest() != read_checksum(store, name):  # type: ignore[arg-type]
                raise DamagedError("its checksum differs")
            return None
    except DamagedError as error:
        reason = str(error)
    except FileNotFoundError:  # perhaps a former attempt has saved what was in it
        parts = (PART_NAME.fullmatch(part) for part in store.sizes(PARTS))
        return "it is gone", [match[0] for match in parts if match and int(match[1]) in job.slots]
    saved = list(_save_heads(job))
    store.remove(name)
    return reason, saved


def _is_there(job: ShardJob) -> bool:
    try:
        index = read_index(lambda start, end: job.store.read(job.name, start, end))
    except (DamagedError, FileNotFoundError):
        return False
    return (
        job.fits(index)
        and job.store.sizes().get(job.name) == index.size
        and read_checksum(job.store, job.name) is not None
    )


def _read_part(job: ShardJob, part: str) -> Index | None:
    """The index of a part that is whole; None where it isn't."""
    try:
        with job.store.open(f"{PARTS}/{part}") as file, _damage_if_unreadable():
            return check_archive(file)
    except (DamagedError, FileNotFoundError):
        return None


def _write_shard(job: ShardJob, index: Index, parts: Sequence[str]) -> None:
    with job.where() as folder:
        path = Path(folder) / job.name
        digest = write_archive(path, index, _contents(job.store, parts))
        job.store.write(checksum_name(job.name), f"{digest}  {job.name}\n".encode())
        job.store.put(path, job.name)


def _write_when_there_is_room(job: ShardJob, write: Callable[[], None]) -> None:
    """Write something; while a disk is full, that of the data set or that of the working files, wait and say so."""

    def say(why: str) -> None:
        job.tell("paused", reason=why, node=socket.gethostname())

    while True:
        try:
            return write()
        except (InputError, OSError) as error:
            if kind_of(error) is not Failure.DISK:
                raise
            say(f"{error}: paused")
        time.sleep(_AGAIN_S)


@contextmanager
def _damage_if_unreadable() -> Iterator[None]:
    """A sector that the disk can't read is damage like any other."""
    try:
        yield
    except OSError as error:
        if error.errno != EIO:
            raise
        raise DamagedError(f"it can't be read ({error.strerror})") from None


def _contents(store: Store, parts: Sequence[str]) -> Iterator[bytes]:
    for part in parts:
        with store.open(f"{PARTS}/{part}") as file:
            index = check_archive(file)
            yield from read_contents(file, index)


def _save_heads(job: ShardJob) -> Iterator[str]:
    """Write the undamaged heads of a shard as parts, where its index can be read at all."""
    try:
        index = read_index(lambda start, end: job.store.read(job.name, start, end))
    except (DamagedError, InputError, OSError):
        return
    with job.store.open(job.name) as file:
        for entry in index.entries:
            try:
                with _damage_if_unreadable():
                    contents = list(read_contents(file, index, only=entry))
            except DamagedError:
                continue
            name = part_name(entry.slot, int(entry.facts["seed"]))
            _write_when_there_is_room(job, partial(_write_part, job, name, entry, contents))
            yield name


def _write_part(job: ShardJob, name: str, entry: Entry, contents: Sequence[bytes]) -> None:
    with job.where() as folder:
        path = Path(folder) / name
        write_archive(path, Index(job.key, (entry,)), contents)
        job.store.put(path, f"{PARTS}/{name}")
