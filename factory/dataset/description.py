"""`dataset.json`: the splits of a data set with their shards, its statistics and versions. Written last of all."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from capture import InputError
from factory.dataset.splits import SPLITS
from factory.dataset.statistics import Statistics

SCHEMA_VERSION = 1
DATASET = "dataset.json"
SHARD_NAME = re.compile(r"(train|test)-\d{6}\.tar")  # other tars in the folder are not ours


def shard_name(split: str, number: int) -> str:
    """File name of a split's shard, counted from 0."""
    return f"{split}-{number:06d}.tar"


def make_description(key: str, splits: Mapping[str, Any], statistics: Statistics) -> dict[str, Any]:
    """The content of `dataset.json`: shards by split as given, and the statistics of their heads.

    `key` is a hash of what the data set was made from.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "key": key,
        "splits": dict(splits),
        "statistics": statistics.to_json(),
        "versions": statistics.versions,
    }


def read_description(folder: Path) -> dict[str, Any]:
    """The `dataset.json` of a data set; raises `InputError` where it is missing or from another version."""
    folder = Path(folder)
    path = folder / DATASET
    if not path.is_file():
        raise InputError(f"no data set: {folder} has no {DATASET}; make one with `p2p pack` or `p2p produce`")
    return parse_description(path.read_bytes(), str(path))


def cure_of(description: Mapping[str, Any]) -> str:
    """The end of an error's line about damaged shards: the command that makes them again."""
    commands = "`p2p join`" if "sources" in description else "`p2p produce` or `p2p pack`"
    return f"{commands} with the same options mends it"


def parse_description(text: bytes, name: str) -> dict[str, Any]:
    """The content of a `dataset.json`; raises `InputError` with its `name` if it is damaged or from another version."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InputError(f"{name} is damaged ({error}); pack the data set again") from None
    if not isinstance(value, dict) or value.get("schema_version") != SCHEMA_VERSION or "splits" not in value:
        raise InputError(f"{name}: not a data set of schema version {SCHEMA_VERSION}; pack it again")
    try:
        for each in SPLITS:
            split = value["splits"][each]
            int(split["samples"]), [(str(shard["name"]), int(shard["bytes"])) for shard in split["shards"]]
        dict(value["statistics"]), dict(value["versions"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{name} is damaged ({error}); pack the data set again") from None
    return value
