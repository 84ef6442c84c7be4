"""`p2p verify`: a check of every checksum, count, label and split of a data set."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import IO, Any

import numpy as np

from capture import Camera, InputError, PixelClass
from capture.arrays import read_npz
from factory.console import track
from factory.dataset.archive import DamagedError, Entry, Index, read_contents, read_index
from factory.dataset.description import DATASET, SHARD_NAME, cure_of, parse_description
from factory.dataset.statistics import Statistics
from factory.dataset.store import Store
from factory.dataset.stored_archives import checksum_name, read_checksum
from factory.production.state.plan_file import PLAN, read_plan, shard_sizes

log = logging.getLogger(__name__)

UNSEEN = 255  # in `seen_class`
_PROBLEMS_SHOWN = 20


def verify(store: Store) -> dict[str, int]:
    """Read a whole data set; returns the numbers of its shards, heads and vertices.

    Raises:
        InputError: with all problems, one after the other.
    """
    description = parse_description(_read_description(store), store.url_of(DATASET))
    check = _DatasetCheck(store, description)
    shards = [(name, shard) for name, split in description["splits"].items() for shard in split["shards"]]
    with track("verifying", len(shards)) as progress:
        for split, shard in shards:
            check.read_shard(split, shard)
            progress.advance(1, shard["name"])
    check.compare_with_description()
    if check.problems:
        shown, more = check.problems[:_PROBLEMS_SHOWN], len(check.problems) - _PROBLEMS_SHOWN
        text = "; ".join(shown) + (f"; and {more} more" if more > 0 else "")
        raise InputError(f"{store} is damaged: {text}. {cure_of(description)}")
    return {"shards": len(shards), "heads": check.statistics.heads, "vertices": check.statistics.vertices}


def _read_description(store: Store) -> bytes:
    try:
        return store.read(DATASET)
    except FileNotFoundError:
        raise InputError(f"{store} has no {DATASET}: it is not complete (`p2p status` tells more)") from None


class _DatasetCheck:
    """The check of a data set.

    Attributes:
        problems: a line for each that was noticed.
        statistics: of the heads that were read.
    """

    def __init__(self, store: Store, description: Mapping[str, Any]) -> None:
        self.problems: list[str] = []
        self.statistics = Statistics()
        self._store, self._description = store, description
        self._ids: dict[str, list[str]] = {name: [] for name in description["splits"]}

    def read_shard(self, split: str, shard: Mapping[str, Any]) -> None:
        """Check one shard, given by its line in `dataset.json`."""
        name = shard["name"]
        try:
            with self._store.open(name) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
                if digest != shard["sha256"]:
                    self.problems.append(f"{name}: its checksum differs")
                index = read_index(partial(_range, file))
                if index.size != shard["bytes"] or len(index.entries) != shard["samples"]:
                    self.problems.append(f"{name}: its size or count differs")
                if read_checksum(self._store, name) not in (None, digest):  # `pack` writes none
                    self.problems.append(f"{name}: {checksum_name(name)} is of another file")
                for entry, sample in _samples(file, index):
                    self.problems += [f"{entry.id} in {name}: {problem}" for problem in sample_problems(entry, sample)]
                    self.statistics.add(entry.facts)
                    self._ids[split].append(entry.id)
        except FileNotFoundError:
            self.problems.append(f"{name} is gone")
        except DamagedError as error:
            self.problems.append(f"{name}: {error}")

    def compare_with_description(self) -> None:
        """Compare what was read with `dataset.json`."""
        if self.problems:
            return  # what is missing would be told once more
        splits = self._description["splits"]
        for name, ids in self._ids.items():
            if ids != splits[name]["ids"] or len(ids) != splits[name]["samples"]:
                self.problems.append(f"split {name}: it holds other heads than {DATASET} says")
        every = [name for ids in self._ids.values() for name in ids]
        for name in sorted(name for name, times in Counter(every).items() if times > 1):
            self.problems.append(f"{name} is there more than once")
        if self.statistics.to_json() != self._description["statistics"]:
            self.problems.append(f"the statistics in {DATASET} are of other heads")
        listed = {shard["name"] for split in splits.values() for shard in split["shards"]}
        unlisted = [name for name in self._store.sizes() if SHARD_NAME.fullmatch(name) and name not in listed]
        growing = self._growing_shards() if unlisted else set()
        for name in unlisted:
            if name not in growing:
                self.problems.append(f"{name} belongs to no split")
        if growing:
            log.info("%s grows: what is new is not in %s yet and was not checked", self._store, DATASET)

    def _growing_shards(self) -> set[str]:
        """Names of all shards that the data set will have, where it is growing."""
        if not self._store.exists(PLAN):
            return set()
        planned = shard_sizes(read_plan(self._store))
        return set(planned) if sum(planned.values()) > self.statistics.heads else set()


def sample_problems(entry: Entry, sample: Mapping[str, bytes]) -> Iterator[str]:
    """Contradictions within a sample whose bytes are those that were written."""
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
    if len(arrays.get("known", distance)) != len(distance):
        yield f"{len(vertices)} vertices, of {len(arrays['known'])} it says whether they are known"
    if info.get("painted"):
        if np.isfinite(distance).any():
            yield "it was painted and has distances, which nobody knows"
    elif not np.isfinite(distance).all():
        yield "the distance of a vertex is not finite"
    elif threshold is not None and (distance[skin] >= threshold).any():
        yield "a vertex labelled skin lies farther from the surface than the threshold"
    yield from _variant_problems(entry, sample)
    classes = arrays.get("seen_class")
    if classes is not None and not np.isin(classes, [*PixelClass, UNSEEN]).all():
        yield "it has unknown classes"


def _variant_problems(entry: Entry, sample: Mapping[str, bytes]) -> Iterator[str]:
    """Contradictions in the scans of other styles."""
    names = sorted(key for key in sample if re.fullmatch(r"scan_\d\d\.npz", key))
    if 1 + len(names) != entry.facts.get("scans", 1):
        yield f"it has {1 + len(names)} scans, its facts say {entry.facts.get('scans', 1)}"
    for name in names:
        try:
            arrays = read_npz(io.BytesIO(sample[name]))
            vertices, faces = arrays["vertices"], arrays["faces"]
            distance, skin = arrays["distance_mm"], arrays["skin"]
        except (KeyError, ValueError, TypeError) as error:
            yield f"{name} can't be read ({error})"
            continue
        if not np.isfinite(vertices).all() or (len(faces) and not 0 <= faces.min() <= faces.max() < len(vertices)):
            yield f"{name} is broken"
        if not len(distance) == len(skin) == len(vertices):
            yield f"{name} has {len(vertices)} vertices, {len(distance)} distances, {len(skin)} labels"
        if name.replace("scan", "style").replace(".npz", ".json") not in sample:
            yield f"{name} has no record of its style"


def _range(file: IO[bytes], start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(end - start)


def _samples(file: Any, index: Index) -> Iterator[tuple[Entry, dict[str, bytes]]]:
    for entry in index.entries:
        yield entry, dict(zip(entry.files, read_contents(file, index, only=entry), strict=True))
