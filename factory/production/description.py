"""The last step of a data set: `dataset.json`, made of what its shards say."""

from __future__ import annotations

import json
from typing import Any

from capture import InputError
from factory.dataset.archive import Index
from factory.dataset.packing import DATASET, SPLITS, describe
from factory.dataset.statistics import Statistics
from factory.dataset.store import Store
from factory.production.existing import read_checksum, read_indexes
from factory.production.plan import Plan


def describe_dataset(store: Store, plan: Plan) -> dict[str, Any]:
    """Write `dataset.json`, which says that the data set is whole; returns it. Raises `InputError` where it isn't."""
    counted, replaced = Statistics(), 0
    splits: dict[str, Any] = {name: {"samples": 0, "ids": [], "shards": []} for name in SPLITS}
    for name, index in read_indexes(store, list(plan.shards)):
        digest = read_checksum(store, name)
        if not isinstance(index, Index) or digest is None:
            raise InputError(
                f"{store.where(name)}: {index if isinstance(index, str) else 'its checksum is gone'}; run "
                "`p2p produce` with the same options again"
            )
        split = splits[name.rpartition("-")[0]]
        split["samples"] += len(index.entries)
        split["ids"] += [entry.id for entry in index.entries]
        split["shards"].append({"name": name, "samples": len(index.entries), "bytes": index.size, "sha256": digest})
        for entry in index.entries:
            counted.add(entry.facts)
            replaced += plan.slot(int(entry.facts["seed"]))[1] > 0
    description = describe(plan.key, splits, counted) | {"replaced": replaced}
    store.write(DATASET, (json.dumps(description, indent=2) + "\n").encode())
    return description
