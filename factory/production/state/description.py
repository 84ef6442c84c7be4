"""The last step of a run: `dataset.json`, made from the indexes of the shards."""

from __future__ import annotations

import json
from typing import Any

from capture import InputError
from factory.dataset.archive import Index
from factory.dataset.description import DATASET, make_description, parse_description
from factory.dataset.splits import SPLITS
from factory.dataset.statistics import Statistics
from factory.dataset.store import Store
from factory.dataset.stored_archives import read_checksum, read_indexes
from factory.production.settings.plan import Plan


def described_shards(store: Store) -> set[str] | None:
    """The shards that `dataset.json` names: none where there is no such file, `None` where it is damaged."""
    try:
        text = store.read(DATASET)
    except FileNotFoundError:
        return set()
    try:
        splits = parse_description(text, store.url_of(DATASET))["splits"]
    except InputError:
        return None
    return {shard["name"] for split in splits.values() for shard in split["shards"]}


def write_description(store: Store, plan: Plan) -> dict[str, Any]:
    """Write `dataset.json` and return it. Raises `InputError` where a shard is damaged."""
    statistics, replaced = Statistics(), 0
    splits: dict[str, Any] = {split: {"samples": 0, "ids": [], "shards": []} for split in SPLITS}
    for name, index in read_indexes(store, list(plan.shards)):
        digest = read_checksum(store, name)
        if not isinstance(index, Index) or digest is None:
            raise InputError(
                f"{store.url_of(name)}: {index if isinstance(index, str) else 'its checksum is gone'}; run "
                "`p2p produce` with the same options again"
            )
        split = splits[name.rpartition("-")[0]]
        split["samples"] += len(index.entries)
        split["ids"] += [entry.id for entry in index.entries]
        split["shards"].append({"name": name, "samples": len(index.entries), "bytes": index.size, "sha256": digest})
        for entry in index.entries:
            statistics.add(entry.facts)
            replaced += plan.slot(int(entry.facts["seed"]))[1] > 0
    description = make_description(plan.dataset_key, splits, statistics) | {"replaced": replaced}
    store.write(DATASET, (json.dumps(description, indent=2) + "\n").encode())
    return description
