"""The heads of a data set wherever it lies, finished or in the making: what is said of all, and chosen ones."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from capture import Camera, InputError
from factory.dataset.archive import DamagedError, Entry, Index, read_contents, read_index
from factory.dataset.packing import DATASET, SHARD_NAME, read_dataset_text
from factory.dataset.store import Store
from factory.production.existing import PART_NAME, read_indexes
from factory.production.head_tasks import PARTS
from scans.head_sample import HeadSample


@dataclass(frozen=True)
class Place:
    """Where a head is found: the archive in the store and its number there."""

    archive: str
    number: int
    split: str


class Source:
    """A data set to report on.

    Attributes:
        store: where it lies.
        description: its `dataset.json`; None while it isn't whole.
    """

    def __init__(self, place: str) -> None:
        """Raises `InputError` where there is no data set."""
        self.store = Store(place)
        self.description: Mapping[str, Any] | None = None
        if self.store.exists(DATASET):
            self.description = read_dataset_text(self.store.read(DATASET), self.store.where(DATASET))
        self._archives = self._find()
        if not self._archives:
            where = self.store.where("")
            if self.store.local is not None and not self.store.local.is_dir():
                raise InputError(f"no data set: {where} is no folder")
            raise InputError(f"no data set: {where} has no {DATASET} and no heads; make some with `p2p produce`")

    def heads(self) -> Iterator[tuple[Place, Entry]]:
        """All heads with what their archives say of them, in order. Raises `InputError` where one is damaged.

        Of a data set in the making: parts that become a shard while one looks are passed over, and a head that is in
        both is told once.
        """
        told: set[str] = set()
        for archive, index in read_indexes(self.store, list(self._archives)):
            if not isinstance(index, Index):
                if self.description is None and not self.store.exists(archive):
                    continue
                raise self._damaged(archive, index)
            for number, entry in enumerate(index.entries):
                if entry.id not in told:
                    told.add(entry.id)
                    yield Place(archive, number, self._archives[archive]), entry

    def read(self, place: Place) -> HeadSample:
        """A head with images, scan and labels. Raises `InputError`."""
        sample = self._files(place)
        return HeadSample.from_sample(sample, self.store.where(place.archive))

    def info(self, place: Place) -> dict[str, Any]:
        """A head's `capture.json`. Raises `InputError`."""
        return dict(json.loads(self._files(place, {"capture.json"})["capture.json"]))

    def front(self, place: Place) -> bytes:
        """The image file of the view that looks most straight into the face. Raises `InputError`."""
        cameras = [Camera.from_json(value) for value in self.info(place)["cameras"]]
        key = f"view_{front_view(cameras):02d}.jpg"
        return self._files(place, {key})[key]

    def _files(self, place: Place, keys: Container[str] | None = None) -> dict[str, Any]:
        """Extension -> bytes of a head's files, each checked."""
        try:
            with self.store.open(place.archive) as file:
                index = read_index(lambda start, end: self.store.read(place.archive, start, end))
                entry = index.entries[place.number]
                names = [key for key in entry.files if keys is None or key in keys]
                found = dict(zip(names, read_contents(file, index, entry, keys), strict=True))
        except DamagedError as error:
            raise self._damaged(place.archive, str(error)) from None
        except FileNotFoundError:
            why = "it is gone; a run may have put its heads into a shard meanwhile: try again"
            raise InputError(f"{self.store.where(place.archive)}: {why}") from None
        return {"__key__": entry.id, **found}

    def _damaged(self, archive: str, reason: str) -> InputError:
        cure = "`p2p produce` with the same options mends it, `p2p pack` packs it again"
        return InputError(f"{self.store.where(archive)} is damaged: {reason}; {cure}")

    def _find(self) -> dict[str, str]:
        """Archive -> split, of all that is there: shards, and what will become shards."""
        if self.description is not None:
            splits = self.description["splits"].items()
            return {shard["name"]: name for name, split in splits for shard in split["shards"]}
        parts = [name for name in self.store.sizes(PARTS) if PART_NAME.fullmatch(name)]  # before the shards they join
        found = {name: match[1] for name in self.store.sizes() if (match := SHARD_NAME.fullmatch(name))}
        return found | {f"{PARTS}/{name}": "in no shard yet" for name in parts}


def front_view(cameras: Sequence[Camera]) -> int:
    """The number of the camera that looks most straight into the face: along +Y."""
    return max(range(len(cameras)), key=lambda number: cameras[number].direction[1])
