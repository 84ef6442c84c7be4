"""The plan of a data set: all that decides what is in it. Neither machines nor interruptions change that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from itertools import pairwise
from typing import Any

from capture import InputError
from factory.dataset.description import shard_name
from factory.dataset.packing import PackSettings
from factory.dataset.samples import FORMAT
from factory.dataset.splits import SPLITS, split_by_count
from factory.production.settings.quality_gates import QualityGates
from factory.stages.label import label_options
from factory.stages.reconstruct import reconstruct_options
from factory.stages.registry import STAGES
from factory.stages.render_values import content_of
from factory.stages.seeds import head_name
from factory.stages.settings import RenderSettings, ScanSettings
from generator import GENERATOR_VERSION

SCHEMA_VERSION = 1
REPLACEMENTS = 9  # seeds that may be tried after a slot's first one
SEED_STRIDE = 10_000_000  # from one seed of a slot to the next


@dataclass(frozen=True)
class Size:
    """A size of a data set: all of its heads, and those of them in the test split."""

    heads: int
    test_heads: int


@dataclass(frozen=True)
class Plan:
    """The options of a production run that decide what is in the data set.

    A data set has `heads` slots: numbered places that are filled with one head each. Slot i is filled with the head of
    seed `first_seed` + i; where that one fails or is rejected, with that of the seed 10,000,000 above, and so on. So
    the head of a slot depends on the slot alone, and not on what happens to others.

    Attributes:
        heads: number of heads.
        test_heads: of these, in the test split.
        heads_per_shard: samples in one tar file.
        first_seed: seed of slot 0.
        render: settings of rendering.
        scan: settings of reconstruction and labels; the backend is cpu or cuda.
        gates: quality that a head's reconstruction must have.
        versions: of what makes the samples: the program, its stages, Blender.
        grown_from: sizes that the data set had before it grew, the first one first. The heads of each step are split
            among themselves and have shards of their own, so growing changes no earlier head and no earlier shard.
    """

    heads: int
    test_heads: int
    heads_per_shard: int = PackSettings.heads_per_shard
    first_seed: int = 0
    render: RenderSettings = field(default_factory=RenderSettings)
    scan: ScanSettings = field(default_factory=ScanSettings)
    gates: QualityGates = field(default_factory=QualityGates)
    versions: Mapping[str, str] = field(default_factory=dict)
    grown_from: tuple[Size, ...] = ()

    def __post_init__(self) -> None:
        if self.heads < 1:
            raise InputError(f"`heads` {self.heads}: at least one head is needed")
        if not 0 <= self.test_heads < self.heads:
            raise InputError(f"`test_heads` {self.test_heads} of {self.heads}: at least one must be left to train on")
        for before, after in pairwise(self._sizes):
            _check_growth(before, after)
        if self.heads_per_shard < 1:
            raise InputError(f"`heads_per_shard` {self.heads_per_shard}: a shard holds at least one head")
        if self.first_seed < 0 or self.first_seed + self.heads > SEED_STRIDE:
            raise InputError(
                f"`first_seed` {self.first_seed} and {self.heads} heads: seeds of a data set lie between 0 and "
                f"{SEED_STRIDE - 1}"
            )

    def seed(self, slot: int, replacement: int = 0) -> int:
        """The seed that is tried for a slot after so many others."""
        return self.first_seed + slot + replacement * SEED_STRIDE

    def slot(self, seed: int) -> tuple[int, int]:
        """The slot that a seed is tried for, and after how many others."""
        replacement, first = divmod(seed, SEED_STRIDE)
        return first - self.first_seed, replacement

    @cached_property
    def shards(self) -> dict[str, tuple[int, ...]]:
        """File name -> slots, of all shards of all splits."""
        each = self.heads_per_shard
        shards: dict[str, tuple[int, ...]] = {}
        for split in SPLITS:
            of_steps = [step[split] for step in self._steps]
            cut = [slots[first : first + each] for slots in of_steps for first in range(0, len(slots), each)]
            shards |= {shard_name(split, number): slots for number, slots in enumerate(cut)}
        return shards

    @cached_property
    def splits(self) -> dict[str, tuple[int, ...]]:
        """The slots of each split: of every step in order, as `p2p pack` would split the heads of its first seeds."""
        return {split: tuple(slot for step in self._steps for slot in step[split]) for split in SPLITS}

    @property
    def _sizes(self) -> tuple[Size, ...]:
        """The sizes at the end of each step."""
        return *self.grown_from, Size(self.heads, self.test_heads)

    @cached_property
    def _steps(self) -> list[dict[str, tuple[int, ...]]]:
        """Split -> slots, of the heads that each step added."""
        return [
            self._split(range(before.heads, after.heads), after.test_heads - before.test_heads)
            for before, after in pairwise((Size(0, 0), *self._sizes))
        ]

    def _split(self, slots: range, test_heads: int) -> dict[str, tuple[int, ...]]:
        by_name = {head_name(self.seed(slot)): slot for slot in slots}
        splits = split_by_count(list(by_name), test_heads)
        return {split: tuple(by_name[head] for head in splits[split]) for split in SPLITS}

    @cached_property
    def shard_of(self) -> dict[int, str]:
        """Slot -> file name of its shard."""
        return {slot: name for name, slots in self.shards.items() for slot in slots}

    def to_json(self) -> dict[str, Any]:
        """The content of `production.json`: plain values."""
        grown = {"grown_from": [asdict(size) for size in self.grown_from]} if self.grown_from else {}
        return {
            "schema_version": SCHEMA_VERSION,
            "heads": self.heads,
            "test_heads": self.test_heads,
            "heads_per_shard": self.heads_per_shard,
            "first_seed": self.first_seed,
            "render": content_of(self.render),
            "scan": reconstruct_options(self.scan.reconstruction) | label_options(self.scan.labels),
            "gates": asdict(self.gates),
            "versions": dict(self.versions),
            **grown,
        }

    @cached_property
    def key(self) -> str:
        """A hash of all that decides what is in the data set as it began. Its archives bear it, grown or not."""
        first = self._sizes[0]
        return replace(self, heads=first.heads, test_heads=first.test_heads, grown_from=()).dataset_key

    @cached_property
    def dataset_key(self) -> str:
        """A hash of all that decides what is in the data set, with the sizes that it grew from."""
        return sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]


def _check_growth(before: Size, after: Size) -> None:
    """Raise `InputError` where a data set of one size can't grow to another."""
    if after.heads <= before.heads:
        raise InputError(f"`heads` {after.heads}: the data set there has {before.heads}; it can grow, not shrink")
    if after.test_heads < before.test_heads:
        raise InputError(
            f"`test_heads` {after.test_heads}: {before.test_heads} of the {before.heads} heads there are in the test "
            "split and stay in it"
        )
    most = before.test_heads + after.heads - before.heads
    if after.test_heads > most:
        raise InputError(
            f"`test_heads` {after.test_heads}: {before.test_heads} of the {before.heads} heads there are in the test "
            f"split, and the others stay in train: {most} of {after.heads} at most"
        )


def current_versions(render: RenderSettings) -> dict[str, str]:
    """Versions of all that makes samples on this machine."""
    return {
        "pixels2points": version("pixels2points"),
        "generator": GENERATOR_VERSION,
        **{stage.name: str(stage.version) for stage in STAGES.values() if stage.version is not None},
        "sample": str(FORMAT),
        "blender": render.blender_version(),
    }
