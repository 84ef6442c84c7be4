"""Shards that are not written yet: the head archives that they have, and the heads that they lack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from factory.production.settings.plan import Plan


class ShardProgress:
    """Head archives by slot, and the number of heads that each open shard lacks.

    A shard is opened with what the store holds of it, gets archives until it lacks none, and is closed once it is
    written.
    """

    def __init__(self, plan: Plan, archives: Mapping[int, str]) -> None:
        self._plan = plan
        self._archives = dict(archives)
        self._lacking: dict[str, int] = {}

    @property
    def missing_heads(self) -> int:
        """Heads that the open shards lack together."""
        return sum(self._lacking.values())

    def open(self, shard: str) -> list[int]:
        """Open a shard, or look at it anew; returns the slots that it lacks."""
        lacking = self._without_archive(shard)
        self._lacking[shard] = len(lacking)
        return lacking

    def add(self, slot: int, archive: str) -> str | None:
        """Take in the archive of a head; returns the shard where it lacks none now."""
        self._archives[slot] = archive
        shard = self._plan.shard_of[slot]
        self._lacking[shard] -= 1
        return None if self._lacking[shard] else shard

    def add_saved(self, shard: str, archives: Mapping[int, str]) -> int:
        """Take in the archives of heads that were saved from a damaged shard; returns how many it lacks."""
        slots = self._plan.shards[shard]
        self._archives |= {slot: archive for slot, archive in archives.items() if slot in slots}
        return len(self._without_archive(shard))

    def remove(self, shard: str, archives: Iterable[str]) -> int:
        """Forget damaged archives of a shard; returns how many."""
        damaged = set(archives)
        slots = [slot for slot in self._plan.shards[shard] if self._archives[slot] in damaged]
        for slot in slots:
            del self._archives[slot]
        return len(slots)

    def archives_of(self, shard: str) -> list[str]:
        """The archives of a shard that lacks none, in the order of its slots."""
        return [self._archives[slot] for slot in self._plan.shards[shard]]

    def close(self, shard: str) -> None:
        """Forget a shard that is written."""
        for slot in self._plan.shards[shard]:
            del self._archives[slot]
        del self._lacking[shard]

    def _without_archive(self, shard: str) -> list[int]:
        return [slot for slot in self._plan.shards[shard] if slot not in self._archives]
