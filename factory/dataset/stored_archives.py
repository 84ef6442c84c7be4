"""Indexes and checksums of the archives in a store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from factory.dataset.archive import DamagedError, Index, read_index
from factory.dataset.store import Store

_READERS = 16  # indexes that are read at a time: an object store answers many as fast as one


def read_indexes(store: Store, names: Sequence[str]) -> Iterator[tuple[str, Index | str]]:
    """Name and index of each archive, in order; the reason instead of an index that can't be read."""

    def read(name: str) -> Index | str:
        try:
            return read_index(lambda start, end: store.read(name, start, end))
        except DamagedError as error:
            return str(error)
        except FileNotFoundError:
            return "it is gone"

    with ThreadPoolExecutor(_READERS) as pool:
        for first in range(0, len(names), 8 * _READERS):  # not all at once: they take memory
            some = names[first : first + 8 * _READERS]
            yield from zip(some, pool.map(read, some), strict=True)


def checksum_name(shard: str) -> str:
    """The file that holds a shard's SHA-256."""
    return f"{shard}.sha256"


def read_checksum(store: Store, shard: str) -> str | None:
    """The SHA-256 that a shard had when it was written; None where that is not known."""
    try:
        words = store.read(checksum_name(shard)).decode(errors="replace").split()
    except FileNotFoundError:
        return None
    return words[0] if words else None
