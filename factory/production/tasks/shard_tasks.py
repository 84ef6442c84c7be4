"""Ray tasks of one shard: made of head archives, or checked and, where it is damaged, taken apart."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from errno import EIO
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from capture import InputError
from factory.dataset.archive import DamagedError, Entry, Index, check_archive, read_contents, read_index, write_archive
from factory.dataset.store import Store
from factory.dataset.stored_archives import checksum_name, read_checksum
from factory.production.event_queue import SendEvent
from factory.production.state.head_archives import HEAD_ARCHIVE_NAME, HEAD_ARCHIVES, head_archive_name
from factory.production.tasks.disk_space import working_folder
from factory.stages.failures import Failure, kind_of

_RETRY_S = 5.0


@dataclass(frozen=True)
class ShardJob:
    """A shard to make or to check.

    Attributes:
        store: of the data set.
        key: of its plan.
        name: of the shard.
        slots: that it holds, in order.
        scratch: folder for working files; None for the system's.
        send_event: gets "paused" events.
    """

    store: Store
    key: str
    name: str
    slots: tuple[int, ...]
    scratch: Path | None
    send_event: SendEvent

    def matches(self, index: Index) -> bool:
        """True where an archive is this shard."""
        return index.made_from == self.key and tuple(entry.slot for entry in index.entries) == self.slots

    def working_folder(self) -> TemporaryDirectory[str]:
        """A temporary folder, to be used as a context."""
        return working_folder(self.scratch)


def assemble_shard(job: ShardJob, archives: Sequence[str]) -> list[str]:
    """Write a shard of head archives, in their order, and remove them once it is safe.

    The shard's checksum lies beside it, as `sha256sum -c` reads it. Returns the archives that are damaged: these are
    removed, and the shard is not written then. A task of a killed run may still be at the same shard, and removes
    archives once that is there: what is gone is damaged only where the shard is not complete even then.
    """
    while not _is_complete(job):  # unless an earlier attempt came so far
        entries, damaged = _read_head_archives(job, archives)
        if not damaged:
            with suppress(DamagedError):  # since they were read: look again
                _write_when_there_is_space(job, partial(_write_shard, job, Index(job.key, tuple(entries)), archives))
                break
        elif not _is_complete(job):
            _remove_head_archives(job, damaged)
            return damaged
    _remove_head_archives(job, archives)
    return []


def check_shard(job: ShardJob) -> tuple[str, list[str]] | None:
    """Read a whole shard. Returns None where it is as it was written.

    Where it is damaged, its undamaged heads become head archives again and the shard is removed: returns the reason,
    and these archives.
    """
    store, name = job.store, job.name
    try:
        with store.open(name) as file, _unreadable_is_damaged():
            check_archive(file)
            file.seek(0)
            if hashlib.file_digest(file, "sha256").hexdigest() != read_checksum(store, name):  # type: ignore[arg-type]
                raise DamagedError("its checksum differs")
            return None
    except DamagedError as error:
        reason = str(error)
    except FileNotFoundError:  # perhaps an earlier attempt has saved its heads
        matches = (HEAD_ARCHIVE_NAME.fullmatch(archive) for archive in store.sizes(HEAD_ARCHIVES))
        return "it is gone", [match[0] for match in matches if match and int(match[1]) in job.slots]
    saved = list(_save_heads(job))
    store.remove(name)
    return reason, saved


def _is_complete(job: ShardJob) -> bool:
    """True where the shard is there, of the right size and with its checksum."""
    try:
        index = read_index(lambda start, end: job.store.read(job.name, start, end))
    except (DamagedError, FileNotFoundError):
        return False
    return (
        job.matches(index)
        and job.store.sizes().get(job.name) == index.size
        and read_checksum(job.store, job.name) is not None
    )


def _read_head_archives(job: ShardJob, archives: Sequence[str]) -> tuple[list[Entry], list[str]]:
    """The heads in the archives of a shard, in order, and the archives that are damaged or gone."""
    entries: list[Entry] = []
    damaged = []
    for slot, archive in zip(job.slots, archives, strict=True):
        index = _read_head_archive(job, archive)
        if index is None or index.made_from != job.key or [entry.slot for entry in index.entries] != [slot]:
            damaged.append(archive)
        else:
            entries += index.entries
    return entries, damaged


def _remove_head_archives(job: ShardJob, archives: Sequence[str]) -> None:
    for archive in archives:
        job.store.remove(f"{HEAD_ARCHIVES}/{archive}")


def _read_head_archive(job: ShardJob, archive: str) -> Index | None:
    """The index of a head archive; None where it is damaged or gone."""
    try:
        with job.store.open(f"{HEAD_ARCHIVES}/{archive}") as file, _unreadable_is_damaged():
            return check_archive(file)
    except (DamagedError, FileNotFoundError):
        return None


def _write_shard(job: ShardJob, index: Index, archives: Sequence[str]) -> None:
    with job.working_folder() as folder:
        path = Path(folder) / job.name
        digest = write_archive(path, index, _contents(job.store, archives))
        job.store.write(checksum_name(job.name), f"{digest}  {job.name}\n".encode())
        job.store.put(path, job.name)


def _contents(store: Store, archives: Sequence[str]) -> Iterator[bytes]:
    """The files in the archives. Raises `DamagedError` where one is damaged or gone by now."""
    for archive in archives:
        try:
            with store.open(f"{HEAD_ARCHIVES}/{archive}") as file, _unreadable_is_damaged():
                index = check_archive(file)
                yield from read_contents(file, index)
        except FileNotFoundError:
            raise DamagedError(f"{archive} is gone") from None


def _save_heads(job: ShardJob) -> Iterator[str]:
    """Write the undamaged heads of a shard as head archives, where its index can be read at all."""
    try:
        index = read_index(lambda start, end: job.store.read(job.name, start, end))
    except (DamagedError, InputError, OSError):
        return
    with job.store.open(job.name) as file:
        for entry in index.entries:
            try:
                with _unreadable_is_damaged():
                    contents = list(read_contents(file, index, only=entry))
            except DamagedError:
                continue
            name = head_archive_name(entry.slot, int(entry.facts["seed"]))
            _write_when_there_is_space(job, partial(_write_head_archive, job, name, entry, contents))
            yield name


def _write_head_archive(job: ShardJob, name: str, entry: Entry, contents: Sequence[bytes]) -> None:
    with job.working_folder() as folder:
        path = Path(folder) / name
        write_archive(path, Index(job.key, (entry,)), contents)
        job.store.put(path, f"{HEAD_ARCHIVES}/{name}")


def _write_when_there_is_space(job: ShardJob, write: Callable[[], None]) -> None:
    """Call `write`; while a disk is full, that of the data set or that of the working files, wait and say so."""
    while True:
        try:
            return write()
        except (InputError, OSError) as error:
            if kind_of(error) is not Failure.DISK:
                raise
            job.send_event("paused", reason=f"{error}: paused", node=socket.gethostname())
        time.sleep(_RETRY_S)


@contextmanager
def _unreadable_is_damaged() -> Iterator[None]:
    """Raise `DamagedError` for a sector that the disk can't read."""
    try:
        yield
    except OSError as error:
        if error.errno != EIO:
            raise
        raise DamagedError(f"it can't be read ({error.strerror})") from None
