"""Reading the heads of a data set from a folder or URL, complete or still being made: indexes, and chosen heads."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from capture import Camera, InputError
from factory.dataset.archive import DamagedError, Entry, Index, read_contents, read_index
from factory.dataset.description import DATASET, SHARD_NAME, cure_of, parse_description
from factory.dataset.store import Store
from factory.dataset.stored_archives import read_indexes
from factory.production.state.head_archives import HEAD_ARCHIVE_NAME, HEAD_ARCHIVES
from factory.production.state.plan_file import planned_heads
from scans.head_sample import HeadSample


@dataclass(frozen=True)
class HeadLocation:
    """A head's place in a data set.

    Attributes:
        archive: name of the shard or head archive in the store.
        number: of the head in it, from 0.
        split: name, or the state of a head that is in no shard.
    """

    archive: str
    number: int
    split: str


class DatasetReader:
    """A data set to report on.

    Attributes:
        store: that it lies in.
        description: its `dataset.json`; None while it isn't complete, or is growing.
    """

    def __init__(self, place: str) -> None:
        """Open the data set in a folder or at a URL. Raises `InputError` where there is none."""
        self.store = Store(place)
        self.description: Mapping[str, Any] | None = None
        if self.store.exists(DATASET):
            description = parse_description(self.store.read(DATASET), self.store.url_of(DATASET))
            heads = sum(split["samples"] for split in description["splits"].values())
            if planned_heads(self.store) in (None, heads):
                self.description = description
        self._archives = self._list_archives()
        if not self._archives:
            where = self.store.url_of("")
            if self.store.local is not None and not self.store.local.is_dir():
                raise InputError(f"no data set: {where} is no folder")
            raise InputError(f"no data set: {where} has no {DATASET} and no heads; make some with `p2p produce`")

    def entries(self) -> Iterator[tuple[HeadLocation, Entry]]:
        """All heads with their entries in the indexes, in order. Raises `InputError` where an index is damaged.

        While a data set is being made, head archives that become a shard meanwhile are passed over, and a head that is
        in both is given once.
        """
        seen: set[str] = set()
        for archive, index in read_indexes(self.store, list(self._archives)):
            if not isinstance(index, Index):
                if self.description is None and not self.store.exists(archive):
                    continue
                raise self._damaged(archive, index)
            for number, entry in enumerate(index.entries):
                if entry.id not in seen:
                    seen.add(entry.id)
                    yield HeadLocation(archive, number, self._archives[archive]), entry

    def read_head(self, location: HeadLocation) -> HeadSample:
        """A head with images, scan and labels. Raises `InputError`."""
        return HeadSample.from_sample(self._read_files(location), self.store.url_of(location.archive))

    def read_info(self, location: HeadLocation) -> dict[str, Any]:
        """A head's `capture.json`. Raises `InputError`."""
        return dict(json.loads(self._read_files(location, {"capture.json"})["capture.json"]))

    def read_front_image(self, location: HeadLocation) -> bytes:
        """The image file of the view that looks most straight into the face. Raises `InputError`."""
        cameras = [Camera.from_json(value) for value in self.read_info(location)["cameras"]]
        key = f"view_{front_view(cameras):02d}.jpg"
        return self._read_files(location, {key})[key]

    def _read_files(self, location: HeadLocation, keys: Container[str] | None = None) -> dict[str, Any]:
        """Extension -> bytes of a head's files, each checked."""
        archive = location.archive
        try:
            with self.store.open(archive) as file:
                index = read_index(lambda start, end: self.store.read(archive, start, end))
                entry = index.entries[location.number]
                names = [key for key in entry.files if keys is None or key in keys]
                files = dict(zip(names, read_contents(file, index, entry, keys), strict=True))
        except DamagedError as error:
            raise self._damaged(archive, str(error)) from None
        except FileNotFoundError:
            reason = "it is gone; a run may have put its heads into a shard meanwhile: try again"
            raise InputError(f"{self.store.url_of(archive)}: {reason}") from None
        return {"__key__": entry.id, **files}

    def _damaged(self, archive: str, reason: str) -> InputError:
        return InputError(f"{self.store.url_of(archive)} is damaged: {reason}; {cure_of(self.description or {})}")

    def _list_archives(self) -> dict[str, str]:
        """Archive -> split of all that is there: shards, and head archives that will become shards."""
        if self.description is not None:
            splits = self.description["splits"].items()
            return {shard["name"]: name for name, split in splits for shard in split["shards"]}
        # Head archives first: those that become a shard in between are then in it.
        names = [name for name in self.store.sizes(HEAD_ARCHIVES) if HEAD_ARCHIVE_NAME.fullmatch(name)]
        shards = {name: match[1] for name in self.store.sizes() if (match := SHARD_NAME.fullmatch(name))}
        return shards | {f"{HEAD_ARCHIVES}/{name}": "in no shard yet" for name in names}


def front_view(cameras: Sequence[Camera]) -> int:
    """The number of the camera that looks most straight into the face: along +Y."""
    return max(range(len(cameras)), key=lambda number: cameras[number].direction[1])
