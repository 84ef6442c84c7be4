"""Work of a run that Ray has, or will get: heads to make, shards to assemble, shards to check."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HeadWork:
    """A head to make.

    Attributes:
        slot: its place in the data set.
        seed: that is tried for it.
        lost: times that the processes or nodes that worked on it have died.
    """

    slot: int
    seed: int
    lost: int = 0


@dataclass(frozen=True)
class ShardAssembly:
    """A shard to write of head archives."""

    shard: str


@dataclass(frozen=True)
class ShardCheck:
    """A shard of an earlier run to read in full."""

    shard: str


WorkItem = HeadWork | ShardAssembly | ShardCheck
