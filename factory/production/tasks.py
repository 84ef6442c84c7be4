"""The stages as Ray tasks: Ray places them, moves their inputs, and repeats them where a process or a node dies."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from capture import InputError
from factory.archive import DamagedError, Entry, Index, check_archive, read_contents, read_index, write_archive
from factory.production.needs import STAGES, Need
from factory.production.progress import checksum_name, read_checksum
from factory.production.work import PARTS, AttemptError, Job, Tell, make, pack, part_name, put_when_there_is_room
from factory.store import Store

RETRIES = 2  # of a stage, by Ray: three attempts in all
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
    return ray.remote(Journal).options(num_cpus=0, max_concurrency=1, scheduling_strategy=here).remote()


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
        self._store, self._key = job.store, job.plan.key
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
        return self._join.remote(self._store, self._key, name, list(parts), self._tell)

    def check(self, name: str) -> ray.ObjectRef:
        """Read a shard; where it is damaged, take it apart. Gives None, or why and the parts that were saved."""
        return self._check.remote(self._store, self._key, name, self._tell)


def _task(function: Callable[..., Any], need: Need) -> Any:
    return ray.remote(function).options(
        **need.resources, max_retries=RETRIES, retry_exceptions=[AttemptError], name=function.__name__
    )


def join_parts(store: Store, key: str, name: str, parts: Sequence[str], tell: Tell) -> list[str]:
    """Write the shard `name` of parts, in their order, and remove them once it is safe.

    The shard's checksum lies beside it, as `sha256sum -c` reads it. Returns the parts that are damaged: these are
    removed and there is no shard then.
    """
    entries: list[Entry] = []
    damaged = []
    for part in parts:
        try:
            with store.open(f"{PARTS}/{part}") as file:
                entries += check_archive(file).entries
        except (DamagedError, FileNotFoundError):
            damaged.append(part)
    if damaged:
        for part in damaged:
            store.remove(f"{PARTS}/{part}")
        return damaged
    index = Index(key, tuple(entries))
    with tempfile.TemporaryDirectory(prefix=f"p2p-{os.getpid()}-") as folder:
        path = Path(folder) / name
        digest = write_archive(path, index, _contents(store, parts))
        store.write(checksum_name(name), f"{digest}  {name}\n".encode())
        put_when_there_is_room(store, path, name, tell)
    for part in parts:
        store.remove(f"{PARTS}/{part}")
    return []


def check_shard(store: Store, key: str, name: str, tell: Tell) -> tuple[str, list[str]] | None:
    """Read a whole shard. Returns None where it is as it was written.

    Where it isn't, the heads in it that are whole become parts again and the shard is removed: returns why, and the
    parts.
    """
    try:
        with store.open(name) as file:
            check_archive(file)
            file.seek(0)
            if hashlib.file_digest(file, "sha256").hexdigest() != read_checksum(store, name):  # type: ignore[arg-type]
                raise DamagedError("its checksum differs")
            return None
    except DamagedError as error:
        reason = str(error)
    except FileNotFoundError:
        return "it is gone", []
    saved = list(_save_heads(store, key, name, tell))
    store.remove(name)
    return reason, saved


def _contents(store: Store, parts: Sequence[str]) -> Iterator[bytes]:
    for part in parts:
        with store.open(f"{PARTS}/{part}") as file:
            index = check_archive(file)
            yield from read_contents(file, index)


def _save_heads(store: Store, key: str, name: str, tell: Tell) -> Iterator[str]:
    """Write the undamaged heads of a shard as parts, where its index can be read at all."""
    try:
        index = read_index(lambda start, end: store.read(name, start, end))
    except (DamagedError, InputError):
        return
    with store.open(name) as file, tempfile.TemporaryDirectory(prefix=f"p2p-{os.getpid()}-") as folder:
        for entry in index.entries:
            try:
                contents = list(read_contents(file, index, only=entry))
            except DamagedError:
                continue
            path = Path(folder) / part_name(entry.slot, int(entry.facts["seed"]))
            write_archive(path, Index(key, (entry,)), contents)
            put_when_there_is_room(store, path, f"{PARTS}/{path.name}", tell)
            path.unlink()
            yield path.name
