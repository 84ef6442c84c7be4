"""The usable assets of one or more libraries; of two with one id the one in the later library counts."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assets.library.manifest import KINDS, MANIFEST, Asset, read_asset
from capture import InputError
from capture.runtime.warnings_once import warn_once

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Library:
    """All usable assets of one or more library folders.

    Attributes:
        folders: in the order given; of two assets with one id the one in the later folder counts.
        assets: id -> asset, sorted by id.
        left_out: id -> what is wrong with it.
    """

    folders: tuple[Path, ...] = ()
    assets: Mapping[str, Asset] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    def weights(self, kind: str, base_mesh: str = "hm08") -> dict[str, float]:
        """id -> weight of the assets of a kind that fit a head model's mesh; those of weight 0 come by override
        only."""
        if KINDS[kind].base_mesh not in ("", base_mesh):
            return {}
        return {asset.id: asset.weight for asset in self.assets.values() if asset.kind == kind}

    def find(self, asset: str, kind: str) -> Asset:
        """The asset of an id; raises `InputError` where no library has one of this kind."""
        if asset in self.left_out:
            raise InputError(f"{kind} asset {asset!r} can't be used: {self.left_out[asset]}")
        entry = self.assets.get(asset)
        if entry is None:
            where = ", ".join(map(str, self.folders)) or "no library is given"
            raise InputError(f"no library has the {kind} asset {asset!r} ({where}); give its folder as `library`")
        if entry.kind != kind:
            raise InputError(f"asset {asset!r} is of kind {entry.kind!r}, {kind!r} is needed ({entry.folder})")
        return entry


def open_library(folders: Sequence[Path]) -> Library:
    """Read the manifests of library folders.

    An asset that lacks a file, or whose file can't be read, is named in the log and left out. Raises `InputError` for a
    folder that is missing or a manifest that is wrong.
    """
    assets: dict[str, Asset] = {}
    left_out: dict[str, str] = {}
    for folder in folders:
        own: dict[str, Asset] = {}
        broken: dict[str, str] = {}
        for path in manifests(folder):
            asset = read_asset(path)
            if asset.id in own:
                raise InputError(f"{path}: the id {asset.id!r} is taken by {own[asset.id].folder / MANIFEST}")
            asset, notes = asset.with_files_that_are_there()
            own[asset.id] = asset
            for note in notes:
                warn_once(f"asset {asset.id}: {note}")
            if problems := asset.problems():
                log.warning("asset %s is left out: %s", asset.id, "; ".join(problems))
                broken[asset.id] = "; ".join(problems)
        usable = {name: asset for name, asset in own.items() if name not in broken}
        left_out |= broken
        if replaced := sorted(set(usable) & set(assets)):
            log.info("%s goes before earlier libraries for %s", folder, ", ".join(replaced))
        assets |= usable
    unusable = {name: why for name, why in left_out.items() if name not in assets}
    return Library(tuple(map(Path, folders)), dict(sorted(assets.items())), unusable)


def manifests(folder: Path) -> Iterator[Path]:
    """The manifests in a library folder, sorted; raises `InputError` where there is no such folder or none in it."""
    if not Path(folder).is_dir():
        raise InputError(f"no such library folder: {folder}")
    paths = sorted(Path(folder).rglob(MANIFEST))
    if not paths:
        raise InputError(f"{folder} is no library: no {MANIFEST} in it; make one with `p2p assets import-makehuman`")
    yield from paths


def check(folder: Path) -> tuple[list[Asset], list[str]]:
    """All that is wrong in a library folder: its assets that can be read, and a line for each problem, asset first."""
    good: list[Asset] = []
    problems: list[str] = []
    seen: dict[str, Path] = {}
    for path in manifests(folder):
        try:
            asset = read_asset(path)
        except InputError as error:
            problems.append(f"{path.parent.name}: {error}")
            continue
        asset, notes = asset.with_files_that_are_there()
        for note in notes:
            warn_once(f"asset {asset.id}: {note}")
        own_problems = asset.problems(deep=True)
        if asset.id in seen:
            own_problems.append(f"its id is taken by {seen[asset.id]}")
        seen.setdefault(asset.id, path)
        problems += [f"{asset.id}: {problem}" for problem in own_problems]
        if not own_problems:
            good.append(asset)
    return good, problems
