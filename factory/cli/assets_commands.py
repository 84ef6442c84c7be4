"""What each `p2p assets` command does."""

from __future__ import annotations

import json
import logging
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assets.library import KINDS, open_library
from assets.library.catalogue import check as check_folder
from assets.library.import_hdri import import_hdri as read_hdris
from assets.library.import_makehuman import Origin
from assets.library.import_makehuman import import_makehuman as read_makehuman
from assets.library.install import Imported
from capture import Capture, CaptureInfo, InputError, read_json

log = logging.getLogger(__name__)

DEFAULT_LIBRARY = Path("library")


def list_assets(library: Sequence[Path] | None, kind: str | None) -> None:
    """List the assets of libraries, as generation would see them: kind, id, weight, licence, tags."""
    from generator.components.environment import HDRIS

    rows = [("hdri", name, "1", "CC0-1.0", "comes with Blender") for name in HDRIS]
    for asset in open_library(library or ()).assets.values():
        rows.append((asset.kind, asset.id, f"{asset.weight:g}", asset.licence, " ".join(asset.tags)))
    if kind is not None and kind not in KINDS:
        raise InputError(f"unknown kind {kind!r}; use one of {', '.join(KINDS)}")
    _table(row for row in sorted(rows) if kind in (None, row[0]))


def check(library: Sequence[Path]) -> None:
    """Check every asset of libraries: manifest, licence, files, images. Ends with code 2 where something is wrong."""
    wrong = 0
    for folder in library:
        good, problems = check_folder(folder)
        wrong += len(problems)
        for problem in problems:
            log.warning("%s", problem)
        log.info("%s: %d assets are whole", folder, len(good))
    if wrong:
        raise InputError(f"{wrong} problem{'s' * (wrong > 1)} in {', '.join(map(str, library))}; see above")


def import_makehuman(folder: Path, out: Path, name: str, licence: str | None, link: bool) -> None:
    """Make a library of a MakeHuman data folder: skins, hair, clothes, hats, brows, lashes, eyes."""
    _report(read_makehuman(folder, out, Origin(name, licence or ""), link), out)


def import_hdri(folder: Path, out: Path, licence: str, author: str | None, source: str | None, link: bool) -> None:
    """Make a library of a folder of panoramas (.exr, .hdr)."""
    _report(read_hdris(folder, out, licence, author=author or "", source=source or "", link=link), out)


def _report(imported: Imported, out: Path) -> None:
    for name, why in imported.left_out:
        log.warning("%s is left out: %s", name, why)
    if not imported.assets:
        raise InputError(f"nothing was imported into {out}: all {len(imported.left_out)} assets were left out")
    kinds = [asset.kind for asset in imported.assets]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in KINDS if kind in kinds)
    log.info("%s: %d assets (%s), %d left out", out, len(kinds), counts, len(imported.left_out))


def credits(where: Sequence[Path]) -> None:
    """Print the assets that captures or data sets show: how many heads, licence, author, source."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    heads: dict[tuple[str, str], int] = {}
    total = 0
    for info in (info for folder in where for info in _infos(folder)):
        total += 1
        for asset in info.assets:
            key = (asset.get("id", "?"), asset.get("sha256", ""))
            found.setdefault(key, asset)
            heads[key] = heads.get(key, 0) + 1
    log.info("%d heads, %d assets", total, len(found))
    rows = [("kind", "id", "heads", "licence", "author", "source", "sha256")] if found else []
    names = ("kind", "id", "heads", "licence", "author", "source", "sha256")
    for key in sorted(found, key=lambda key: (found[key].get("kind", ""), key)):
        values = {**found[key], "heads": heads[key]}
        rows.append(tuple(str(values.get(name) or "-") for name in names))  # type: ignore[arg-type]
    _table(rows)


def _infos(folder: Path) -> Iterator[CaptureInfo]:
    """The `capture.json` of a capture, of a folder of captures, or of the samples of a data set."""
    if not folder.is_dir():
        raise InputError(f"no such folder: {folder}; give a capture, a folder of captures or a data set")
    if shards := sorted(folder.glob("*.tar")):
        for shard in shards:
            yield from _shard(shard)
        return
    found = sorted([*folder.glob(Capture.INFO), *folder.glob(f"*/{Capture.INFO}")])
    if not found:
        raise InputError(f"{folder} is no capture, no folder of captures and no data set")
    for path in found:
        yield CaptureInfo.from_json(read_json(path, "capture.json"), str(path))


def _shard(path: Path) -> Iterator[CaptureInfo]:
    try:
        with tarfile.open(path) as tar:
            for member in tar:
                if member.name.endswith(".capture.json") and (file := tar.extractfile(member)) is not None:
                    where = f"{path}: {member.name}"
                    yield CaptureInfo.from_json(json.loads(file.read()), where)
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise InputError(f"damaged shard: {path} ({error}); pack the data set again") from None


def _table(rows: Iterator[tuple[str, ...]] | Sequence[tuple[str, ...]]) -> None:
    """Columns on standard output."""
    lines = list(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for row in lines:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(padded).rstrip() + "\n")
