"""`p2p status`: the state of a data set, from wherever its store can be read."""

from __future__ import annotations

from collections.abc import Iterator

from factory.console import format_duration
from factory.dataset.description import DATASET, SHARD_NAME, parse_description
from factory.dataset.store import Store
from factory.production.state.head_archives import HEAD_ARCHIVE_NAME, HEAD_ARCHIVES
from factory.production.state.heartbeat import STALE_S, read_heartbeat
from factory.production.state.plan_file import read_plan, shard_sizes
from factory.production.state.quarantine import QUARANTINE
from factory.production.state.run_status import describe_run

_RESUME = "run the same `p2p produce` command to resume"


def describe(store: Store) -> Iterator[str]:
    """Lines about the data set in `store`. Lists files and reads none but small ones. Raises `InputError`."""
    files = store.sizes()
    plan = read_plan(store)
    shards = {name: size for name, size in files.items() if SHARD_NAME.fullmatch(name)}
    size = _size(sum(shards.values()))
    splits = parse_description(store.read(DATASET), store.url_of(DATASET))["splits"] if DATASET in files else {}
    heads = ", ".join(f"{split['samples']} {name}" for name, split in splits.items())
    described = sum(split["samples"] for split in splits.values())
    complete = described == plan["heads"]
    if complete:
        yield f"{store}: complete, {described} heads ({heads}) in {len(shards)} shards, {size}"
    else:
        planned = shard_sizes(plan)
        archives = {match[1] for name in store.sizes(HEAD_ARCHIVES) if (match := HEAD_ARCHIVE_NAME.fullmatch(name))}
        # Archives of a shard that was written a moment ago may still be there, and it is not known here whose they are.
        done = min(sum(planned.get(name, 0) for name in shards) + len(archives), plan["heads"])
        yield (
            f"{store}: {done} of {plan['heads']} heads finished; {len(shards)} of {len(planned)} shards written, "
            f"{size}; {len(archives)} heads wait for their shard to be full"
        )
        if described:
            yield f"it grows: until it is complete, {DATASET} has the {described} heads ({heads}) from before"
    if quarantined := len(store.sizes(QUARANTINE)):
        seeds = "1 seed" if quarantined == 1 else f"{quarantined} seeds"
        yield f"{seeds} failed or rejected, and replaced by others; the reasons are in {store.url_of(QUARANTINE)}"
    yield from _describe_heartbeat(store, complete)


def _describe_heartbeat(store: Store, complete: bool) -> Iterator[str]:
    heartbeat = read_heartbeat(store)
    if heartbeat is None:
        if not complete:
            yield f"no run is working on it; {_RESUME}"
        return
    state, age = heartbeat
    process = f"process {state['pid']} on {state['host']}"
    if age > STALE_S:
        yield f"its run ({process}) last reported {format_duration(age)} ago and has probably died; {_RESUME}"
        return
    yield f"a run is working on it ({process}, last report {age:.0f} s ago)"
    yield from describe_run(state)


def _size(size: float) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
