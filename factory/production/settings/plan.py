"""The plan of a data set: all that decides what is in it. Neither machines nor interruptions change that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from typing import Any

from capture import InputError
from factory.dataset.description import shard_name
from factory.dataset.packing import PackSettings
from factory.dataset.samples import FORMAT
from factory.dataset.splits import SPLITS, split_by_count
from factory.dataset.store import Store
from factory.production.settings.quality_gates import QualityGates
from factory.stages.differences import differences
from factory.stages.label import label_options
from factory.stages.reconstruct import reconstruct_options
from factory.stages.registry import STAGES
from factory.stages.render_values import content_of, library_files
from factory.stages.seeds import head_name
from factory.stages.settings import RenderSettings, ScanSettings
from generator import GENERATOR_VERSION

SCHEMA_VERSION = 1
PLAN = "production.json"
REPLACEMENTS = 9  # seeds that may be tried after a slot's first one
_FILES, _NAMED = "library_files", 3  # key beside the plan, which is no part of it; files that an error lists
SEED_STRIDE = 10_000_000  # from one seed of a slot to the next


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
    """

    heads: int
    test_heads: int
    heads_per_shard: int = PackSettings.heads_per_shard
    first_seed: int = 0
    render: RenderSettings = field(default_factory=RenderSettings)
    scan: ScanSettings = field(default_factory=ScanSettings)
    gates: QualityGates = field(default_factory=QualityGates)
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.heads < 1:
            raise InputError(f"`heads` {self.heads}: at least one head is needed")
        if not 0 <= self.test_heads < self.heads:
            raise InputError(f"`test_heads` {self.test_heads} of {self.heads}: at least one must be left to train on")
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
        return {
            shard_name(split, number): slots[first : first + self.heads_per_shard]
            for split, slots in self.splits.items()
            for number, first in enumerate(range(0, len(slots), self.heads_per_shard))
        }

    @cached_property
    def splits(self) -> dict[str, tuple[int, ...]]:
        """The slots of each split, in order; as `p2p pack` would split the heads of the first seeds."""
        by_name = {head_name(self.seed(slot)): slot for slot in range(self.heads)}
        splits = split_by_count(list(by_name), self.test_heads)
        return {split: tuple(by_name[head] for head in splits[split]) for split in SPLITS}

    @cached_property
    def shard_of(self) -> dict[int, str]:
        """Slot -> file name of its shard."""
        return {slot: name for name, slots in self.shards.items() for slot in slots}

    def to_json(self) -> dict[str, Any]:
        """The content of `production.json`: plain values."""
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
        }

    @cached_property
    def key(self) -> str:
        """A hash of all that decides what is in the data set."""
        return sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]


def current_versions(render: RenderSettings) -> dict[str, str]:
    """Versions of all that makes samples on this machine."""
    return {
        "pixels2points": version("pixels2points"),
        "generator": GENERATOR_VERSION,
        **{stage.name: str(stage.version) for stage in STAGES.values() if stage.version is not None},
        "sample": str(FORMAT),
        "blender": render.blender_version(),
    }


def claim_plan(store: Store, plan: Plan) -> bool:
    """Write `plan` as that of the data set in `store`; returns whether it was there before.

    Raises:
        InputError: there is a data set of another plan, and the message shows what differs; or one without a plan.
    """
    if store.exists(PLAN):
        lines = _differences(read_plan(store), plan)
        if lines:
            raise InputError(
                f"{store}: the data set there was begun with other options: {'; '.join(lines)}. "
                "Give the same options to resume it, or another `out`"
            )
        return True
    if store.exists("dataset.json"):
        raise InputError(f"{store}: a data set that this command didn't make is there; choose another `out`")
    written = {**plan.to_json(), _FILES: library_files(plan.render.library)}
    store.write(PLAN, (json.dumps(written, indent=2) + "\n").encode())
    return False


def _differences(there: dict[str, Any], plan: Plan) -> list[str]:
    """One line for each option that differs; of asset libraries the files that do."""
    files = there.pop(_FILES, None)
    lines = list(differences(there, json.loads(json.dumps(plan.to_json()))))
    libraries = [line for line in lines if line.startswith("render.library is ")]
    if libraries and isinstance(files, dict):
        now = library_files(plan.render.library)
        changed = [name for name in dict.fromkeys([*files, *now]) if files.get(name) != now.get(name)]
        how = {(True, True): "changed", (False, True): "new", (True, False): "gone"}
        most = [f"{name} is {how[name in files, name in now]}" for name in changed[:_NAMED]]
        more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        lines[lines.index(libraries[0])] = f"render.library is another: {', '.join(most)}{more}"
    return lines


def read_plan(store: Store) -> dict[str, Any]:
    """The `production.json` of the data set in `store`. Raises `InputError` where it is missing or damaged."""
    try:
        value = json.loads(store.read(PLAN))
        if value["schema_version"] != SCHEMA_VERSION:
            raise InputError(
                f"{store.url_of(PLAN)}: schema version {value['schema_version']}, this program reads {SCHEMA_VERSION}"
            )
        return dict(value)
    except FileNotFoundError:
        raise InputError(f"{store} holds no data set of `p2p produce` (no {PLAN})") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{store.url_of(PLAN)} is damaged ({error}); put a copy of it back") from None
