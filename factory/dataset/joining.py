"""`p2p join`: data sets become one; shards are linked, and written anew only where heads of theirs are left out."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from capture import InputError, write_json
from capture.files import sha256_of
from factory.console import track
from factory.dataset.archive import Content, DamagedError, Entry, Index, read_contents, write_archive
from factory.dataset.description import DATASET, cure_of, make_description, read_description, shard_name
from factory.dataset.packing import hidden_folder, remove_dataset
from factory.dataset.splits import SPLITS
from factory.dataset.statistics import Statistics
from factory.dataset.store import Store
from factory.dataset.stored_archives import read_indexes

log = logging.getLogger(__name__)

_NAMED = 3  # heads that a line lists


@dataclass
class _Source:
    """A data set to join: its folder, description, indexes of its shards, and the heads that are left out of it."""

    folder: Path
    description: dict[str, Any]
    indexes: dict[str, Index]
    twice: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)

    def damaged(self, shard: str, reason: str) -> InputError:
        """The error of a shard that is not as it was written."""
        return InputError(f"{self.folder / shard} is damaged: {reason}; {cure_of(self.description)}")

    @contextmanager
    def naming_damage(self, shard: str) -> Iterator[None]:
        """Turn what is wrong with a shard that is read into `InputError`."""
        try:
            yield
        except FileNotFoundError:
            raise self.damaged(shard, "it is gone") from None
        except DamagedError as error:
            raise self.damaged(shard, str(error)) from None

    def shards(self, split: str) -> list[dict[str, Any]]:
        return list(self.description["splits"][split]["shards"])

    def to_json(self) -> dict[str, Any]:
        """The line in `dataset.json`."""
        plan = self.folder / "production.json"
        return {
            "path": str(self.folder),
            "key": self.description.get("key"),
            "heads": sum(len(index.entries) for index in self.indexes.values()),
            "left_out": [*self.twice, *self.torn],
            "versions": self.description["versions"],
            "production": json.loads(plan.read_text()) if plan.is_file() else None,
        }


@dataclass(frozen=True)
class _Head:
    """A head in a shard of a source."""

    entry: Entry
    source: _Source
    shard: str

    @property
    def person(self) -> Any:
        """Equal for heads of one person: the seed, or where there is none the checksum of the first image."""
        seed = self.entry.facts.get("seed")
        return self.entry.files["view_00.jpg"].sha256 if seed is None else seed

    @property
    def is_made(self) -> bool:
        """Whether a program made all of it from its seed: not so where a person took or painted it."""
        return self.entry.facts.get("seed") is not None and not self.entry.facts.get("painted", False)

    def info(self) -> dict[str, Any]:
        """Its `capture.json` but for the name: the options of the stages that made it, cameras and more.

        Raises `InputError` where its shard is damaged.
        """
        path, index = self.source.folder / self.shard, self.source.indexes[self.shard]
        with self.source.naming_damage(self.shard), path.open("rb") as file:
            (text,) = read_contents(file, index, self.entry, ("capture.json",))
        return {key: value for key, value in json.loads(text).items() if key != "id"}


def join(folders: Sequence[Path], out: Path) -> dict[str, Any]:
    """Make one data set of several in `out`, and return its `dataset.json`. Heads stay in their splits.

    A head that an earlier one has, too, is left out, and so is one whose person is in the other split there: train and
    test share no person. Another head of the same name gets another name.

    Raises:
        InputError: one is missing or damaged, or `out` is one of them, or holds a data set that was not joined.
    """
    folders, out = [Path(folder) for folder in folders], Path(out)
    if len(folders) < 2 or len({folder.resolve() for folder in folders}) < len(folders):
        raise InputError("`join` needs two data sets or more, each once")
    _check_out(out, folders)
    sources = [_open(folder) for folder in folders]
    chosen = _choose(sources)
    statistics, table = Statistics(), {}
    with hidden_folder(out) as hidden, track("joining", sum(len(source.indexes) for source in sources)) as progress:
        for split in SPLITS:
            shards: list[dict[str, Any]] = []
            ids: list[str] = []
            for source in sources:
                for shard in source.shards(split):
                    path = hidden / shard_name(split, len(shards))
                    index = _write(source, shard, chosen[source.folder, shard["name"]], path)
                    progress.advance(1, f"{source.folder}/{shard['name']}")
                    if index is None:
                        continue
                    digest = shard["sha256"] if index is source.indexes[shard["name"]] else sha256_of(path)
                    count = len(index.entries)
                    shards.append({"name": path.name, "samples": count, "bytes": index.size, "sha256": digest})
                    ids += [entry.id for entry in index.entries]
                    for entry in index.entries:
                        statistics.add(entry.facts)
            table[split] = {"samples": len(ids), "ids": ids, "shards": shards}
        remove_dataset(out)
        for path in sorted(hidden.iterdir()):
            path.replace(out / path.name)
    lines = [source.to_json() for source in sources]
    key = hashlib.sha256(json.dumps([[line["key"], line["left_out"]] for line in lines]).encode()).hexdigest()[:16]
    description = make_description(key, table, statistics) | {"sources": lines}
    write_json(out / DATASET, description)
    for source in sources:
        _tell(source)
    log.info("data set %s: %s", out, ", ".join(f"{table[split]['samples']} {split}" for split in SPLITS))
    return description


def _check_out(out: Path, folders: Sequence[Path]) -> None:
    """Raise `InputError` where a data set in `out` must not be lost."""
    if any(out.resolve() == folder.resolve() for folder in folders):
        raise InputError(f"`out` {out} is one of the data sets that are joined; name another folder")
    if (out / DATASET).is_file() and "sources" not in read_description(out):
        raise InputError(f"`out` {out} holds a data set that was not joined; name another folder")
    if (out / "production.json").is_file():
        raise InputError(f"`out` {out} holds a data set of `p2p produce`; name another folder")


def _open(folder: Path) -> _Source:
    """Read a data set's description and indexes, and check its shards."""
    description = read_description(folder)
    shards = {shard["name"]: shard for split in SPLITS for shard in description["splits"][split]["shards"]}
    source = _Source(folder, description, {})
    for name, index in read_indexes(Store(folder), list(shards)):
        if not isinstance(index, Index):
            raise source.damaged(name, index)
        source.indexes[name] = index
    return source


def _choose(sources: Sequence[_Source]) -> dict[tuple[Path, str], list[Entry | None]]:
    """(folder, shard) -> its heads as they are in the joined data set, None for those that are left out."""
    names: set[str] = set()
    people: dict[Any, list[tuple[str, _Head]]] = {}
    chosen: dict[tuple[Path, str], list[Entry | None]] = {}
    for source in sources:
        added: list[tuple[Any, str, _Head]] = []
        for split in SPLITS:
            for shard in source.shards(split):
                kept: list[Entry | None] = []
                for entry in source.indexes[shard["name"]].entries:
                    head = _Head(entry, source, shard["name"])
                    before = people.get(head.person, [])
                    if any(_is_same(head, other) for _, other in before):
                        source.twice.append(entry.id)
                        kept.append(None)
                    elif any(other != split for other, _ in before):
                        source.torn.append(entry.id)
                        kept.append(None)
                    else:
                        named = replace(entry, id=_free_name(entry.id, names))
                        names.add(named.id)
                        added.append((head.person, split, head))
                        kept.append(entry if named.id == entry.id else named)
                chosen[source.folder, shard["name"]] = kept
        for person, split, head in added:  # within a data set heads are what they are
            people.setdefault(person, []).append((split, head))
    return chosen


def _is_same(head: _Head, other: _Head) -> bool:
    """Whether two heads of a person are one: the same files but for the name, or the same versions and options.

    Options count where they are known: captures that tell nothing of their stages are compared by their files.
    """
    one, two = (dict(each.entry.files) for each in (head, other))
    if one == two:
        return True
    if head.is_made and other.is_made:
        if head.entry.facts["versions"] != other.entry.facts["versions"]:
            return False
        if stages := head.info().get("stages"):
            return bool(stages == other.info().get("stages"))
    del one["capture.json"], two["capture.json"]
    return one == two and head.info() == other.info()


def _free_name(name: str, taken: set[str]) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free


def _write(source: _Source, shard: dict[str, Any], entries: list[Entry | None], path: Path) -> Index | None:
    """Put a shard of a source at `path`; returns its index, None where all of its heads are left out."""
    origin, index = source.folder / shard["name"], source.indexes[shard["name"]]
    with source.naming_damage(shard["name"]):
        if sha256_of(origin) != shard["sha256"]:
            raise DamagedError("its checksum differs")
        if all(entry is old for entry, old in zip(entries, index.entries, strict=True)):
            _link(origin, path)
            return index
        samples = list(_samples(origin, index, entries))
    if not samples:
        return None
    made = Index(index.made_from, tuple(entry for entry, _ in samples))
    write_archive(path, made, (content for _, contents in samples for content in contents))
    return made


def _samples(origin: Path, index: Index, entries: list[Entry | None]) -> Iterator[tuple[Entry, list[bytes]]]:
    """The heads of a shard that are kept, and the bytes of their files."""
    with origin.open("rb") as file:
        for old, entry in zip(index.entries, entries, strict=True):
            if entry is None:
                continue
            contents = dict(zip(old.files, read_contents(file, index, only=old), strict=True))
            if entry.id != old.id:
                info = json.loads(contents["capture.json"]) | {"id": entry.id}
                contents["capture.json"] = json.dumps(info, allow_nan=False).encode()
            files = {key: Content.of(data) for key, data in contents.items()}
            yield replace(entry, files=files), list(contents.values())


def _link(origin: Path, path: Path) -> None:
    """A hard link, where the file system has them between the two; else a copy."""
    try:
        os.link(origin.resolve(), path)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(origin, path)


def _tell(source: _Source) -> None:
    texts = {
        "that an earlier data set has, too": source.twice,
        "of persons in the other split of an earlier data set": source.torn,
    }
    for what, names in texts.items():
        if names:
            more = ", ..." if len(names) > _NAMED else ""
            some = ", ".join(names[:_NAMED]) + more
            log.warning("%s: left out are heads %s: %d (%s)", source.folder, what, len(names), some)
