"""Tar archives of samples with an index: shards of a data set, and the head archives that shards are made of.

The first member, `__index__`, is JSON: whose plan the file is of, which heads it holds, and the size and SHA-256 of
every other member. So an archive can be checked by itself, and its first kilobytes list its content. WebDataset readers
skip members with such names. The same samples give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from capture import atomic_path
from capture.files import sha256_of

INDEX = "__index__"
SCHEMA_VERSION = 1
_BLOCK = tarfile.BLOCKSIZE
_FIRST_READ = 3 << 15  # an index of 16 heads with masks takes 73 KB
_LONGEST_INDEX = 1 << 28


class DamagedError(Exception):
    """An archive differs from what was written: cut off, changed or something else altogether."""


@dataclass(frozen=True)
class Content:
    """One file of a sample: its size in bytes and its SHA-256."""

    size: int
    sha256: str

    @classmethod
    def of(cls, data: bytes) -> Content:
        return cls(len(data), hashlib.sha256(data).hexdigest())


@dataclass(frozen=True)
class Entry:
    """One head in an archive.

    Attributes:
        slot: its place in the data set, from 0.
        id: of the head; the key of its sample.
        facts: its counts, attributes and measures, as `factory.dataset.samples.facts` gives them.
        files: extension -> size and checksum, in the order of the archive.
    """

    slot: int
    id: str
    facts: Mapping[str, Any]
    files: Mapping[str, Content]

    @classmethod
    def of(cls, slot: int, name: str, facts: Mapping[str, Any], sample: Mapping[str, bytes]) -> Entry:
        return cls(slot, name, facts, {key: Content.of(data) for key, data in sorted(sample.items())})


@dataclass(frozen=True)
class Index:
    """The index of an archive.

    Attributes:
        made_from: key of the plan of the production run; "captures" where captures were packed.
        entries: in the order of the archive.
    """

    made_from: str
    entries: tuple[Entry, ...]

    @property
    def members(self) -> list[tuple[str, Content]]:
        """Name and content of every file behind the index, in order."""
        return [(f"{e.id}.{key}", content) for e in self.entries for key, content in e.files.items()]

    @property
    def size(self) -> int:
        """Bytes of the whole archive."""
        sizes = [len(self.to_bytes()), *(content.size for _, content in self.members)]
        end = sum(_BLOCK + _padded(size) for size in sizes) + 2 * _BLOCK
        return -(-end // tarfile.RECORDSIZE) * tarfile.RECORDSIZE

    def to_bytes(self) -> bytes:
        value = {
            "schema_version": SCHEMA_VERSION,
            "made_from": self.made_from,
            "entries": [asdict(entry) for entry in self.entries],
        }
        text = json.dumps(value, allow_nan=False, sort_keys=True).encode()
        return hashlib.sha256(text).hexdigest().encode() + b"\n" + text

    @classmethod
    def from_bytes(cls, data: bytes) -> Index:
        digest, _, text = data.partition(b"\n")
        if hashlib.sha256(text).hexdigest().encode() != digest:
            raise DamagedError("the checksum of its index differs")
        value = json.loads(text)
        if value["schema_version"] != SCHEMA_VERSION:
            raise DamagedError(f"its index is of schema version {value['schema_version']}, not {SCHEMA_VERSION}")
        entries = (
            Entry(e["slot"], e["id"], e["facts"], {k: Content(**c) for k, c in e["files"].items()})
            for e in value["entries"]
        )
        return cls(value["made_from"], tuple(entries))


def write_archive(path: Path, index: Index, contents: Iterable[bytes]) -> str:
    """Write an archive in one go and return its SHA-256; `contents` gives the members' bytes in the index's order.

    The file appears whole or not at all. Raises `DamagedError` where a content is not what the index says.
    """
    with atomic_path(path) as temporary:
        with temporary.open("wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            _add(tar, INDEX, index.to_bytes())
            for (name, wanted), data in zip(index.members, contents, strict=True):
                if Content.of(data) != wanted:
                    raise DamagedError(f"{name} is not what the index says")
                _add(tar, name, data)
        return sha256_of(temporary)


def read_index(read: Callable[[int, int], bytes]) -> Index:
    """The index of an archive, of which `read(start, end)` gives bytes. Raises `DamagedError`."""
    head = read(0, _FIRST_READ)
    try:
        member = tarfile.TarInfo.frombuf(head[:_BLOCK], "utf-8", "strict")
        if member.name != INDEX or not 0 <= member.size <= _LONGEST_INDEX:
            raise DamagedError("it starts with no index")
        end = _BLOCK + member.size
        if end > len(head):
            head += read(len(head), end)
        if len(head) < end:
            raise DamagedError("it is cut off")
        return Index.from_bytes(head[_BLOCK:end])
    except (tarfile.TarError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedError(f"it has no index that can be read ({error})") from None


def read_contents(
    file: IO[bytes], index: Index, only: Entry | None = None, keys: Container[str] | None = None
) -> Iterator[bytes]:
    """The members' bytes in order, each checked; those of one head, or of all; of its files those in `keys`, or all.

    Raises `DamagedError` where one differs or is cut off, and at the end of all where the file's size is another.
    """
    position = _BLOCK + _padded(len(index.to_bytes()))
    for entry in index.entries:
        for key, wanted in entry.files.items():
            if (only is None or only is entry) and (keys is None or key in keys):
                yield _read_member(file, position, f"{entry.id}.{key}", wanted)
            position += _BLOCK + _padded(wanted.size)
    file.seek(0, io.SEEK_END)
    if only is None and file.tell() != index.size:
        raise DamagedError(f"it has {file.tell()} bytes and should have {index.size}")


def _read_member(file: IO[bytes], position: int, name: str, wanted: Content) -> bytes:
    file.seek(position)
    try:
        member = tarfile.TarInfo.frombuf(file.read(_BLOCK), "utf-8", "strict")
    except tarfile.TarError as error:
        raise DamagedError(f"{name} can't be read ({error})") from None
    data = file.read(wanted.size)
    if member.name != name or member.size != wanted.size or Content.of(data) != wanted:
        raise DamagedError(f"{name} has changed")
    return data


def check_archive(file: IO[bytes]) -> Index:
    """Read a whole archive; returns its index. Raises `DamagedError` where a file in it is not what was written."""

    def read(start: int, end: int) -> bytes:
        file.seek(start)
        return file.read(end - start)

    index = read_index(read)
    for _ in read_contents(file, index):
        pass
    return index


def index_of(samples: Sequence[tuple[int, str, Mapping[str, Any], Mapping[str, bytes]]], made_from: str) -> Index:
    """The index of samples given as (slot, id, facts, extension -> bytes)."""
    return Index(made_from, tuple(Entry.of(*sample) for sample in samples))


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o444
    tar.addfile(member, io.BytesIO(data))


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK
