"""What is done of a data set, told by the data set itself."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from capture import InputError
from factory.dataset.archive import DamagedError, Index, read_index
from factory.dataset.store import Store
from factory.production.head_tasks import PARTS
from factory.production.plan import Plan
from factory.stages.heads import head_name

QUARANTINE = "quarantine"
PART_NAME = re.compile(r"(\d{8})-(\d{8})\.tar")
_EVIDENCE = re.compile(r"head_(\d{8})\.json")
_LEFT_S = 3600.0
_READERS = 16  # indexes that are read at a time: an object store answers many as fast as one


@dataclass
class Done:
    """What stands in a store.

    Attributes:
        shards: names of shards with an index that fits the plan; their heads are done.
        damaged: names of shards without one, and why.
        parts: slot -> name of the part that holds its head, of the slots that are in no shard.
        obsolete: names of parts that are of no use.
        bad_seeds: seeds that were tried and given up.
    """

    shards: set[str] = field(default_factory=set)
    damaged: dict[str, str] = field(default_factory=dict)
    parts: dict[int, str] = field(default_factory=dict)
    obsolete: list[str] = field(default_factory=list)
    bad_seeds: set[int] = field(default_factory=set)


def find_done(store: Store, plan: Plan) -> Done:
    """Look what is there. Reads the first kilobytes of each shard, no more.

    Raises:
        InputError: a shard is of another data set.
    """
    done = Done()
    sizes = store.sizes()
    for name, found in read_indexes(store, [name for name in plan.shards if name in sizes]):
        reason = found if isinstance(found, str) else _misfit(store, plan, name, found, sizes[name])
        if reason:
            done.damaged[name] = reason
        else:
            done.shards.add(name)
    done.bad_seeds = bad_seeds(store)
    for name in store.sizes(PARTS):
        match = PART_NAME.fullmatch(name)
        if match is None:
            continue  # half written by a run that was killed, or not ours
        slot, seed = int(match[1]), int(match[2])
        unwanted = slot not in plan.shard_of or plan.shard_of[slot] in done.shards or slot in done.parts
        if unwanted or plan.slot(seed)[0] != slot:
            done.obsolete.append(name)
        else:
            done.parts[slot] = name
    return done


def remove_leftovers(folder: Path) -> None:
    """Remove shards and parts that killed runs have left half written, an hour ago or more."""
    for path in [*folder.glob(".t*-*.tar"), *(folder / PARTS).glob(".*.tar")]:
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _LEFT_S:
                path.unlink()


def bad_seeds(store: Store) -> set[int]:
    """Seeds with evidence in quarantine."""
    matches = map(_EVIDENCE.fullmatch, store.sizes(QUARANTINE))
    return {int(match[1]) for match in matches if match}


def put_in_quarantine(store: Store, seed: int, attempts: Iterable[Mapping[str, object]], verdict: str) -> None:
    """Keep what is known about a head that was given up."""
    value = {"id": head_name(seed), "seed": seed, "verdict": verdict, "attempts": list(attempts)}
    store.write(f"{QUARANTINE}/{head_name(seed)}.json", (json.dumps(value, indent=2) + "\n").encode())


def read_indexes(store: Store, names: Sequence[str]) -> Iterator[tuple[str, Index | str]]:
    """Name and index of each archive, in order; why, where it can't be read."""

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


def checksum_name(name: str) -> str:
    """The file that holds a shard's SHA-256."""
    return f"{name}.sha256"


def read_checksum(store: Store, name: str) -> str | None:
    """The SHA-256 that a shard had when it was written; None where that is not known."""
    try:
        words = store.read(checksum_name(name)).decode(errors="replace").split()
    except FileNotFoundError:
        return None
    return words[0] if words else None


def _misfit(store: Store, plan: Plan, name: str, index: Index, size: int) -> str | None:
    """Why a shard can't be what this plan wrote; None where it can."""
    if index.made_from != plan.key or tuple(entry.slot for entry in index.entries) != plan.shards[name]:
        raise InputError(f"{store.where(name)} is a shard of another data set; move it away")
    return None if size == index.size else f"it has {size} bytes and should have {index.size}"
