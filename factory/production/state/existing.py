"""Files of a data set that are in its store already: shards, damaged ones, head archives, seeds in quarantine."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from capture import InputError
from factory.dataset.archive import Index
from factory.dataset.store import Store
from factory.dataset.stored_archives import read_indexes
from factory.production.settings.plan import Plan
from factory.production.state.head_archives import HEAD_ARCHIVE_NAME, HEAD_ARCHIVES
from factory.production.state.quarantine import quarantined_seeds

_ABANDONED_S = 3600.0


@dataclass
class ExistingFiles:
    """Files of a data set that are in its store.

    Attributes:
        shards: names of shards with an index that matches the plan; their heads are done.
        damaged: names of shards without one, and the reason.
        head_archives: slot -> name of the archive that holds its head, of the slots that are in no shard.
        obsolete: names of head archives that are of no use.
        failed_seeds: seeds in quarantine.
    """

    shards: set[str] = field(default_factory=set)
    damaged: dict[str, str] = field(default_factory=dict)
    head_archives: dict[int, str] = field(default_factory=dict)
    obsolete: list[str] = field(default_factory=list)
    failed_seeds: set[int] = field(default_factory=set)


def list_existing(store: Store, plan: Plan) -> ExistingFiles:
    """List what is there. Reads the first kilobytes of each shard, no more.

    Raises:
        InputError: a shard is of another data set.
    """
    existing = ExistingFiles(failed_seeds=quarantined_seeds(store))
    # Before the shards: a head that a task of a killed run puts into its shard meanwhile is in one list at least.
    archives = store.sizes(HEAD_ARCHIVES)
    sizes = store.sizes()
    for name, index in read_indexes(store, [name for name in plan.shards if name in sizes]):
        reason = index if isinstance(index, str) else _mismatch(store, plan, name, index, sizes[name])
        if reason:
            existing.damaged[name] = reason
        else:
            existing.shards.add(name)
    for name in archives:
        match = HEAD_ARCHIVE_NAME.fullmatch(name)
        if match is None:
            continue  # half written by a run that was killed, or not ours
        slot, seed = int(match[1]), int(match[2])
        in_shard = slot in plan.shard_of and plan.shard_of[slot] in existing.shards
        if slot not in plan.shard_of or in_shard or slot in existing.head_archives or plan.slot(seed)[0] != slot:
            existing.obsolete.append(name)
        else:
            existing.head_archives[slot] = name
    return existing


def remove_partial_files(folder: Path) -> None:
    """Remove shards and head archives that killed runs have left half written, an hour ago or more."""
    for path in [*folder.glob(".t*-*.tar"), *(folder / HEAD_ARCHIVES).glob(".*.tar")]:
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _ABANDONED_S:
                path.unlink()


def _mismatch(store: Store, plan: Plan, name: str, index: Index, size: int) -> str | None:
    """The reason why a shard can't be what this plan wrote; None where it can."""
    if index.made_from != plan.key or tuple(entry.slot for entry in index.entries) != plan.shards[name]:
        raise InputError(f"{store.url_of(name)} is a shard of another data set; move it away")
    return None if size == index.size else f"it has {size} bytes and should have {index.size}"
