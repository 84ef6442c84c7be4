"""Reading a data set: `dataset.json` and its tar shards."""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webdataset.tariterators import group_by_keys, tar_file_expander

from capture import InputError, read_json
from scans.head_sample import HeadSample

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*\.tar")  # a file beside dataset.json, never a command or a path
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Shard:
    """One tar file of a split."""

    path: Path
    samples: int
    sha256: str


@dataclass(frozen=True)
class Split:
    """The shards of one split.

    Attributes:
        name: train, val or test.
        shards: in the order of the data set.
        ids: of the heads.
        homes: the number of the shard of each head, where the shards hold more heads, which don't count; None where
            they hold these alone, in their order.
    """

    name: str
    shards: tuple[Shard, ...]
    ids: tuple[str, ...]
    homes: tuple[int, ...] | None = None

    @property
    def limited(self) -> bool:
        """Whether the shards hold more heads, which don't count."""
        return self.homes is not None

    def first(self, heads: int) -> Split:
        """The first so many heads, in the shards that they need. Raises `InputError` where there are fewer."""
        if not 0 < heads <= len(self.ids):
            raise InputError(f"`data.heads` is {heads}, the {self.name} split has {len(self.ids)} heads")
        return self if heads == len(self.ids) else self._some(self.name, self.ids[:heads])

    def without(self, kept_aside: int) -> tuple[Split, Split]:
        """The split without so many heads, and these as the split `val`; a hash of their names chooses them.

        A data set that grows keeps most of them. Raises `InputError` where none would be left.
        """
        if not 0 < kept_aside < len(self.ids):
            raise InputError(
                f"`data.validation` is {kept_aside}: the {self.name} split has {len(self.ids)} heads, and some must be "
                "left to train on"
            )
        order = sorted(self.ids, key=lambda name: hashlib.blake2b(name.encode()).digest())
        chosen = set(order[:kept_aside])
        left, aside = ([name for name in self.ids if (name in chosen) is kept] for kept in (False, True))
        return self._some(self.name, left), self._some("val", aside)

    def _some(self, name: str, ids: Sequence[str]) -> Split:
        """Some of the heads as a split of a name, with the shards that they need."""
        homes = self.homes
        if homes is None:
            homes = tuple(number for number, shard in enumerate(self.shards) for _ in range(shard.samples))
        home = dict(zip(self.ids, homes, strict=False))  # `dataset.json` may count wrongly: reading the shards tells
        needed = sorted({home[each] for each in ids if each in home})
        place = {number: index for index, number in enumerate(needed)}
        shards = tuple(self.shards[number] for number in needed)
        return Split(name, shards, tuple(ids), tuple(place[home[each]] for each in ids if each in home))


def read_splits(folder: Path, check: bool = True) -> dict[str, Split]:
    """The splits of the data set in `folder`. Raises `InputError` where it is missing or damaged.

    With `check` also where a shard is missing: one that was prepared is not needed any more.
    """
    folder = Path(folder)
    path = folder / "dataset.json"
    if not path.is_file():
        raise InputError(f"no data set at {folder} (no dataset.json); make one with `p2p pack` or name another")
    value = read_json(path, "dataset.json")
    version = value.get("schema_version") if isinstance(value, dict) else None
    if version != SCHEMA_VERSION:
        raise InputError(f"{path}: schema version {version}, this program reads {SCHEMA_VERSION}; pack it again")
    try:
        splits = {name: _split(folder, name, split) for name, split in value["splits"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path} is damaged ({error}); pack the data set again") from None
    for split in splits.values() if check else ():
        for shard in split.shards:
            check_present(shard)
    return splits


def _split(folder: Path, name: str, value: dict) -> Split:
    if not re.fullmatch(r"\w+", name):
        raise InputError(f"{folder / 'dataset.json'}: {name!r} is no name of a split; pack the data set again")
    shards = []
    for entry in value["shards"]:
        if not _NAME.fullmatch(entry["name"]):
            raise InputError(f"{folder / 'dataset.json'}: {entry['name']!r} is no shard name; pack the data set again")
        shards.append(Shard(folder / entry["name"], int(entry["samples"]), str(entry["sha256"])))
    return Split(name, tuple(shards), tuple(map(str, value["ids"])))


def check_present(shard: Shard) -> None:
    """Raise `InputError` unless the file is there."""
    if not shard.path.is_file():
        raise InputError(f"shard is missing: {shard.path}; copy it again or pack the data set again")


def check_shard(shard: Shard) -> None:
    """Raise `InputError` unless the file is there and has the checksum that `dataset.json` states."""
    check_present(shard)
    with shard.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != shard.sha256:
        raise InputError(f"damaged shard: {shard.path} (its checksum differs); copy it again or pack it again")


def read_heads(shard: Shard) -> Iterator[HeadSample]:
    """The heads of one shard. Raises `InputError` naming the shard where it is damaged."""
    check_shard(shard)
    for sample in read_samples(shard):
        yield HeadSample.from_sample(sample, shard.path.name)


def read_samples(shard: Shard, select: Callable[[str], bool] | None = None) -> Iterator[dict[str, Any]]:
    """The samples of one shard, undecoded: `__key__`, and extension -> bytes of the files that `select` accepts.

    Raises `InputError` naming the shard where it is damaged.
    """
    try:
        with shard.path.open("rb") as file:
            members = tar_file_expander([{"url": shard.path.name, "stream": file}], select_files=select)
            yield from group_by_keys(members)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise InputError(f"damaged shard: {shard.path} ({error}); copy it again or pack the data set again") from None
