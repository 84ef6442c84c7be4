"""How far a data set is: asked of the data set, from wherever it can be read."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from capture import InputError
from factory.dataset.packing import DATASET, SHARD_NAME, read_dataset_text, shard_name
from factory.dataset.store import Store
from factory.production.display import HEARTBEAT, HEARTBEAT_S, duration
from factory.production.existing import PART_NAME, QUARANTINE
from factory.production.head_tasks import PARTS
from factory.production.plan import read_plan


def describe(store: Store) -> Iterator[str]:
    """Lines about the data set in `store`. Lists files and reads none but small ones. Raises `InputError`."""
    files = store.sizes()
    plan = read_plan(store)
    shards = {name: size for name, size in files.items() if SHARD_NAME.fullmatch(name)}
    parts = {match[1] for name in store.sizes(PARTS) if (match := PART_NAME.fullmatch(name))}
    bad = store.sizes(QUARANTINE)
    planned = shard_sizes(plan)
    whole = DATASET in files
    if whole:
        splits = read_dataset_text(store.read(DATASET), store.where(DATASET))["splits"]
        found = ", ".join(f"{split['samples']} {name}" for name, split in splits.items())
        yield f"{store}: whole, {plan['heads']} heads ({found}) in {len(shards)} shards, {_size(sum(shards.values()))}"
    else:
        # Parts of a shard that was written a moment ago may still be there, and it is not known here whose they are.
        done = min(sum(planned.get(name, 0) for name in shards) + len(parts), plan["heads"])
        yield (
            f"{store}: {done} of {plan['heads']} heads; {len(shards)} of {len(planned)} shards, "
            f"{_size(sum(shards.values()))}, {len(parts)} heads in parts"
        )
    if bad:
        yield f"{len(bad)} heads given up, with their evidence in {store.where(QUARANTINE)}"
    yield from _life(store, whole)


def shard_sizes(plan: Mapping[str, Any]) -> dict[str, int]:
    """File name -> heads, of all shards of a plan."""
    each = plan["heads_per_shard"]
    found = {}
    for name, heads in (("train", plan["heads"] - plan["test_heads"]), ("test", plan["test_heads"])):
        for number, first in enumerate(range(0, heads, each)):
            found[shard_name(name, number)] = min(each, heads - first)
    return found


def _life(store: Store, whole: bool) -> Iterator[str]:
    """What the run says that works on it."""
    try:
        seen: Mapping[str, Any] = json.loads(store.read(HEARTBEAT))
        age = max(time.time() - float(seen["time"]), 0.0)  # clocks of two machines may differ
    except FileNotFoundError:
        if not whole:
            yield "no run works on it; the same `p2p produce` goes on with it"
        return
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{store.where(HEARTBEAT)} is damaged ({error}); remove it") from None
    who = f"process {seen['pid']} on {seen['host']}"
    if age > 6 * HEARTBEAT_S:
        yield f"its run gave no sign of life for {duration(age)} ({who}); the same `p2p produce` goes on with it"
        return
    yield f"{who} works on it, last heard of {age:.0f} s ago: {seen['done']} of {seen['heads']} heads"
    stages = ", ".join(f"{stage} {number}" for stage, number in seen["running"].items())
    if stages:
        yield f"in work: {stages}"
    if seen["heads_per_hour"]:
        yield f"{seen['heads_per_hour']:.1f} heads an hour, {duration(seen['seconds_left'])} left"
    if seen["failures"]:
        yield "given up in this run: " + ", ".join(f"{number} {kind}" for kind, number in seen["failures"].items())
    if seen["attempts_failed"]:
        yield f"{seen['attempts_failed']} failed attempts"
    if seen["paused"]:
        yield f"PAUSED: {seen['paused']}"


def _size(size: float) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
