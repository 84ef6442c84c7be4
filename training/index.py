"""Which prepared files belong to a data set: the prepare stage writes it, the data loader reads it."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import InputError, atomic_path, read_json, write_json
from capture.arrays import read_npz
from training.features.backbone import read_array
from training.operators.compute import load_operators, operators_key
from training.prepare import Preparation, Prepared, feature_file, head_folder, mesh_file, prepare_head, read_mesh
from training.shards import Split, read_heads

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]  # what was done, how many are, of how many


@dataclass(frozen=True, eq=False)
class Statistics:
    """Mean and standard deviation (C,) of each input channel over the vertices of the training heads."""

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]


@dataclass(frozen=True)
class Index:
    """The prepared heads of a split.

    Attributes:
        cache: folder that the files are relative to.
        files: head id -> mesh, operators, and a file a feature.
    """

    cache: Path
    files: dict[str, list[str]]

    def load(self, name: str) -> Prepared:
        """Read one prepared head. Raises `InputError` where it was never prepared, or a file is damaged."""
        if name not in self.files:
            raise InputError(f"{name} is not in dataset.json's list of ids; pack the data set again")
        mesh_path, operators_path, *features = (self.cache / path for path in self.files[name])
        mesh, skin, distance_mm = read_mesh(mesh_path)
        columns = np.concatenate([read_array(path) for path in features], axis=1)
        return Prepared(name, mesh, load_operators(operators_path), columns, skin, distance_mm)

    def is_whole(self) -> bool:
        """Whether all files are there."""
        return all((self.cache / path).is_file() for files in self.files.values() for path in files)


def prepare_split(split: Split, preparation: Preparation, cache: Path, progress: Progress | None = None) -> Index:
    """Prepare what is missing of a split, and return where everything lies. Nothing is made anew when it is whole.

    Raises:
        InputError: where a shard is damaged, or a head can't be prepared.
    """
    path = _index_path(split, preparation, cache)
    if path.is_file():
        index = Index(Path(cache), read_json(path, "index"))
        if index.is_whole() and _statistics_path(path).is_file():
            return index
    files: dict[str, list[str]] = {}
    moments = _Moments()
    for shard in split.shards:
        for head in read_heads(shard):
            start = time.perf_counter()
            prepared = prepare_head(head, preparation, cache)
            files[head.id] = _files(head.id, head.key(), prepared, preparation, cache)
            moments.add(prepared.features)
            log.debug("prepared %s in %.1f s", head.id, time.perf_counter() - start)
            if progress is not None:
                progress(head.id, len(files), len(split.ids))
    if set(files) != set(split.ids):
        raise InputError(f"the {split.name} shards hold other heads than dataset.json lists; pack the data set again")
    statistics = moments.statistics()
    with atomic_path(_statistics_path(path)) as temporary:
        np.savez(temporary, mean=statistics.mean, deviation=statistics.deviation)
    write_json(path, files)
    return Index(Path(cache), files)


def read_statistics(split: Split, preparation: Preparation, cache: Path) -> Statistics:
    """The channels' statistics of a prepared split."""
    path = _statistics_path(_index_path(split, preparation, cache))
    try:
        arrays = read_npz(path)
        return Statistics(arrays["mean"], arrays["deviation"])
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"damaged cache file: {path} ({error}); remove it and run again") from None


def _index_path(split: Split, preparation: Preparation, cache: Path) -> Path:
    features = [feature_file(name, preparation) for name in preparation.features.names]
    contents = [mesh_file(preparation), preparation.eigenpairs, features, [shard.sha256 for shard in split.shards]]
    digest = hashlib.blake2b(json.dumps(contents).encode(), digest_size=8).hexdigest()
    return Path(cache) / f"index-{split.name}-{digest}.json"


def _statistics_path(index: Path) -> Path:
    return index.with_suffix(".npz")


def _files(name: str, key: str, prepared: Prepared, preparation: Preparation, cache: Path) -> list[str]:
    folder = head_folder(cache, name, key)
    operators = operators_key(prepared.mesh.vertices, prepared.mesh.faces, preparation.eigenpairs)
    names = [mesh_file(preparation), f"operators-{operators}.npz"]
    names += [feature_file(feature, preparation) for feature in preparation.features.names]
    return [str((folder / file).relative_to(cache)) for file in names]


class _Moments:
    """Mean and variance of channels over many heads, merged pairwise (Chan et al. 1979): no cancellation."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: NDArray = np.zeros(0)
        self.square: NDArray = np.zeros(0)

    def add(self, features: NDArray) -> None:
        values = np.asarray(features, np.float64)
        count, mean = len(values), values.mean(axis=0)
        square = np.square(values - mean).sum(axis=0)
        if not self.count:
            self.count, self.mean, self.square = count, mean, square
            return
        total = self.count + count
        change = mean - self.mean
        self.square = self.square + square + np.square(change) * self.count * count / total
        self.mean = self.mean + change * count / total
        self.count = total

    def statistics(self) -> Statistics:
        if not self.count:
            return Statistics(np.zeros(0, np.float32), np.zeros(0, np.float32))
        deviation = np.sqrt(self.square / self.count)
        deviation = np.where(deviation > 1e-6, deviation, 1)  # a constant channel stays as it is
        return Statistics(self.mean.astype(np.float32), deviation.astype(np.float32))
