"""Whether a data set is what it says: every checksum, count, label and split."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import IO, Any

import numpy as np

from capture import Camera, InputError, PixelClass
from capture.arrays import read_npz
from factory.console import track
from factory.dataset.archive import DamagedError, Entry, Index, read_contents, read_index
from factory.dataset.packing import DATASET, SHARD_NAME, read_dataset_text
from factory.dataset.statistics import Statistics
from factory.dataset.store import Store
from factory.production.existing import checksum_name, read_checksum

log = logging.getLogger(__name__)

UNSEEN = 255  # in `seen_class`


def verify(store: Store) -> dict[str, int]:
    """Read a whole data set; returns how many shards, heads and vertices are right.

    Raises:
        InputError: with all that is wrong, one after the other.
    """
    description = read_dataset_text(_read(store), store.where(DATASET))
    found = _Findings(store, description)
    shards = [(name, shard) for name, split in description["splits"].items() for shard in split["shards"]]
    with track("verifying", len(shards)) as progress:
        for split, shard in shards:
            found.read(split, shard)
            progress.advance(1, shard["name"])
    found.compare()
    if found.wrong:
        some = "; ".join(found.wrong[:20]) + (f"; and {len(found.wrong) - 20} more" if len(found.wrong) > 20 else "")
        raise InputError(f"{store} is damaged: {some}. `p2p produce` or `p2p pack` with the same options mends it")
    return {"shards": len(shards), "heads": found.counted.heads, "vertices": found.counted.vertices}


def _read(store: Store) -> bytes:
    try:
        return store.read(DATASET)
    except FileNotFoundError:
        raise InputError(f"{store} has no {DATASET}: it is not whole (`p2p status` tells more)") from None


class _Findings:
    """What a data set's shards say, and what is wrong with them."""

    def __init__(self, store: Store, description: Mapping[str, Any]) -> None:
        self.store, self.description = store, description
        self.wrong: list[str] = []
        self.counted = Statistics()
        self._ids: dict[str, list[str]] = {name: [] for name in description["splits"]}

    def read(self, split: str, shard: Mapping[str, Any]) -> None:
        """Read one shard."""
        name = shard["name"]
        try:
            with self.store.open(name) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
                if digest != shard["sha256"]:
                    self.wrong.append(f"{name}: its checksum differs")
                index = read_index(partial(_range, file))
                if index.size != shard["bytes"] or len(index.entries) != shard["samples"]:
                    self.wrong.append(f"{name}: its size or count differs")
                if read_checksum(self.store, name) not in (None, digest):  # `pack` writes none
                    self.wrong.append(f"{name}: {checksum_name(name)} is of another file")
                for entry, sample in _samples(file, index):
                    self.wrong += [f"{entry.id} in {name}: {reason}" for reason in sample_faults(entry, sample)]
                    self.counted.add(entry.facts)
                    self._ids[split].append(entry.id)
        except FileNotFoundError:
            self.wrong.append(f"{name} is gone")
        except DamagedError as error:
            self.wrong.append(f"{name}: {error}")

    def compare(self) -> None:
        """Hold what was read against what `dataset.json` says."""
        if self.wrong:
            return  # what is missing would be told once more
        splits = self.description["splits"]
        for name, ids in self._ids.items():
            if ids != splits[name]["ids"] or len(ids) != splits[name]["samples"]:
                self.wrong.append(f"split {name}: it holds other heads than {DATASET} says")
        every = [name for ids in self._ids.values() for name in ids]
        for name in sorted(name for name, times in Counter(every).items() if times > 1):
            self.wrong.append(f"{name} is there more than once")
        if self.counted.to_json() != self.description["statistics"]:
            self.wrong.append(f"the statistics in {DATASET} are of other heads")
        listed = {shard["name"] for split in splits.values() for shard in split["shards"]}
        for name in self.store.sizes():
            if SHARD_NAME.fullmatch(name) and name not in listed:
                self.wrong.append(f"{name} belongs to no split")


def sample_faults(entry: Entry, sample: Mapping[str, bytes]) -> Iterator[str]:
    """What is wrong in a sample whose bytes are those that were written."""
    try:
        info = json.loads(sample["capture.json"])
        cameras = [Camera.from_json(value) for value in info["cameras"]]
        arrays = read_npz(io.BytesIO(sample["scan.npz"]))
        vertices, faces = arrays["vertices"], arrays["faces"]
        distance, skin = arrays["distance_mm"], arrays["skin"]
    except (KeyError, ValueError, TypeError) as error:
        yield f"it can't be read ({error})"
        return
    if info.get("id") != entry.id:
        yield f"its capture is called {info.get('id')}"
    if {f"view_{i:02d}.jpg" for i in range(len(cameras))} != {key for key in sample if key.endswith(".jpg")}:
        yield f"it has {len(cameras)} cameras and other images"
    masks = {key for key in sample if key.endswith(".mask.png")}
    if masks and masks != {f"view_{i:02d}.mask.png" for i in range(len(cameras))}:
        yield f"it has {len(cameras)} cameras and other masks"
    if not np.isfinite(vertices).all() or (len(faces) and not 0 <= faces.min() <= faces.max() < len(vertices)):
        yield "its scan is broken"
    if not len(distance) == len(skin) == len(vertices) == entry.facts["vertices"]:
        yield f"{len(vertices)} vertices, {len(distance)} distances, {len(skin)} labels"
        return
    threshold = info.get("stages", {}).get("label", {}).get("options", {}).get("threshold_mm")
    if not np.isfinite(distance).all() or (threshold is not None and (distance[skin] >= threshold).any()):
        yield "a vertex labelled skin lies farther from the surface than the threshold"
    classes = arrays.get("seen_class")
    if classes is not None and not np.isin(classes, [*PixelClass, UNSEEN]).all():
        yield "it has unknown classes"


def _range(file: IO[bytes], start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(end - start)


def _samples(file: Any, index: Index) -> Iterator[tuple[Entry, dict[str, bytes]]]:
    for entry in index.entries:
        yield entry, dict(zip(entry.files, read_contents(file, index, only=entry), strict=True))
