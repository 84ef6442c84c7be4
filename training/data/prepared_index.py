"""Index of the prepared files of a data set: the prepare stage writes it, the data loader reads it."""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import InputError, atomic_path, read_json, write_json
from capture.arrays import read_npz
from scans.head_sample import HeadSample
from scans.traits import ScanTraits, TrainingTraits
from training.data.shards import Split, read_heads
from training.data.statistics import Moments, Statistics
from training.features.backbone import read_array
from training.operators.compute import load_operators, operators_key
from training.preparation import cache_files
from training.preparation.copies import ONE, Variety
from training.preparation.prepare import prepare_head
from training.preparation.prepared import ImageInput, PreparedHead, WholeScan
from training.preparation.settings import Preparation
from training.preparation.simplify import Simplified

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]  # what was done, how many are, of how many


def entry_of(name: str, number: int) -> str:
    """The name in an index of a head's scan or copy of a number, from 0."""
    return f"{name}/{number}" if number else name


@dataclass(frozen=True)
class Index:
    """The prepared heads of a split.

    Attributes:
        cache: folder that the files are relative to.
        files: head id -> mesh, operators, a file a feature, and for the image head the placement and the token maps.
            A head's scans in other styles, and copies of it, stand behind it as `<id>/1` and so on.
    """

    cache: Path
    files: dict[str, list[str]]

    def count(self, name: str) -> int:
        """Scans and copies that a head is prepared as."""
        return next(number for number in itertools.count() if entry_of(name, number) not in self.files)

    def load(self, name: str, number: int = 0) -> PreparedHead:
        """Read one prepared head, as its scan or copy of a number.

        Raises `InputError` where it was never prepared, or a file is damaged.
        """
        entry = entry_of(name, number)
        if entry not in self.files:
            raise InputError(f"{name} is not in dataset.json's list of ids; pack the data set again")
        mesh_path, operators_path, *rest = (self.cache / path for path in self.files[entry])
        features = [path for path in rest if path.name.startswith("feature-")]
        mesh = cache_files.read_mesh(mesh_path)
        columns = [np.zeros((len(mesh.vertices), 0), np.float16), *map(read_array, features)]
        image = _read_image(rest[len(features) :])
        operators = load_operators(operators_path)
        targets = cache_files.read_targets(mesh_path)
        return PreparedHead(name, mesh, operators, np.concatenate(columns, axis=1), targets, image)

    def token_statistics(self, heads: int = 32) -> Statistics:
        """Of the channels of the tokens, over up to so many heads."""
        moments = Moments()
        for name in list(self.files)[:: -(-len(self.files) // heads)]:
            for tokens in map(read_array, (self.cache / path for path in self.files[name] if "tokens" in path)):
                moments.add(tokens.reshape(-1, tokens.shape[2]))
        return moments.statistics()

    def load_whole(self, name: str) -> WholeScan:
        """The whole scan of a prepared head."""
        return cache_files.read_whole(self.cache / self.files[name][0])

    def load_mesh(self, name: str) -> Simplified:
        """A prepared head's simplified scan."""
        return cache_files.read_mesh(self.cache / self.files[name][0])

    def is_whole(self) -> bool:
        """Whether all files are there."""
        return all((self.cache / path).is_file() for files in self.files.values() for path in files)


def prepare_split(
    split: Split, preparation: Preparation, cache: Path, progress: Progress | None = None, variety: Variety = ONE
) -> Index:
    """Prepare what is missing of a split, and return where everything lies. Nothing is made anew when it is whole.

    Each head is prepared as all that `variety` makes of it.

    Raises:
        InputError: where a shard is damaged, or a head can't be prepared.
    """
    path = _index_path(split, preparation, cache, variety)
    if path.is_file():
        index = Index(Path(cache), read_json(path, "index"))
        statistics_path = _statistics_path(path)
        if index.is_whole() and statistics_path.is_file() and "traits" in _read_statistics(statistics_path):
            return index  # former versions wrote no traits
    files: dict[str, list[str]] = {}
    moments, traits, done, wanted = Moments(), list[ScanTraits](), 0, set(split.ids)
    for shard in split.shards:
        for head in read_heads(shard):
            if split.limited and head.id not in wanted:
                continue
            start = time.perf_counter()
            for number, chosen in enumerate(variety.of(head)):
                prepared = prepare_head(chosen, preparation, cache)
                files[entry_of(head.id, number)] = _files(chosen, prepared, preparation, cache)
                moments.add(prepared.features)
                traits.append(ScanTraits.of_head(chosen))
            done += 1
            log.debug("prepared %s in %.1f s", head.id, time.perf_counter() - start)
            if progress is not None:
                progress(head.id, done, len(split.ids))
    if {entry for entry in files if "/" not in entry} != set(split.ids):
        raise InputError(f"the {split.name} shards hold other heads than dataset.json lists; pack the data set again")
    statistics = moments.statistics()
    with atomic_path(_statistics_path(path)) as temporary:
        known = json.dumps(TrainingTraits.of_heads(traits).to_json())
        np.savez(temporary, mean=statistics.mean, deviation=statistics.deviation, traits=np.array(known))
    write_json(path, files)
    return Index(Path(cache), files)


def read_statistics(split: Split, preparation: Preparation, cache: Path, variety: Variety = ONE) -> Statistics:
    """The channels' statistics of a prepared split."""
    arrays = _read_statistics(_statistics_path(_index_path(split, preparation, cache, variety)))
    return Statistics(arrays["mean"], arrays["deviation"])


def read_traits(split: Split, preparation: Preparation, cache: Path, variety: Variety = ONE) -> TrainingTraits:
    """Traits of the heads of a prepared split."""
    path = _statistics_path(_index_path(split, preparation, cache, variety))
    arrays = _read_statistics(path)
    try:
        return TrainingTraits.from_json(json.loads(str(arrays["traits"])))
    except (InputError, ValueError, KeyError) as error:
        raise _damaged(path, error) from None


def _read_statistics(path: Path) -> dict[str, NDArray]:
    """The arrays of a split's statistics. Raises `InputError` where the file is damaged."""
    try:
        arrays = read_npz(path)
        missing = {"mean", "deviation"} - set(arrays)
        if missing:
            raise ValueError(f"no {min(missing)}")
        return arrays
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"damaged cache file: {path} ({error}); remove it and run again")


def _index_path(split: Split, preparation: Preparation, cache: Path, variety: Variety) -> Path:
    features = [cache_files.feature_file(name, preparation) for name in preparation.features.names]
    features += [cache_files.placement_file(preparation)] if preparation.features.image_head else []
    contents = [
        cache_files.mesh_file(preparation),
        preparation.eigenpairs,
        features,
        [shard.sha256 for shard in split.shards],
    ]
    contents += [list(split.ids)] if split.limited else []
    contents += [] if variety == ONE else [asdict(variety)]
    digest = hashlib.blake2b(json.dumps(contents).encode(), digest_size=8).hexdigest()
    return Path(cache) / f"index-{split.name}-{digest}.json"


def _statistics_path(index: Path) -> Path:
    return index.with_suffix(".npz")


def _files(head: HeadSample, prepared: PreparedHead, preparation: Preparation, cache: Path) -> list[str]:
    folder = cache_files.head_folder(cache, head.id, head.key())
    operators = operators_key(prepared.mesh.vertices, prepared.mesh.faces, preparation.eigenpairs)
    names = [cache_files.mesh_file(preparation), f"operators-{operators}.npz"]
    names += [cache_files.feature_file(feature, preparation) for feature in preparation.features.lifted]
    paths = [folder / file for file in names]
    if preparation.features.image_head:
        paths += [folder / cache_files.placement_file(preparation), *cache_files.token_files(head, preparation, cache)]
    return [str(path.relative_to(cache)) for path in paths]


def _read_image(paths: Sequence[Path]) -> ImageInput | None:
    return ImageInput([read_array(path) for path in paths[1:]], cache_files.read_placement(paths[0])) if paths else None
