"""Commands around asset libraries: `p2p assets ...`."""

from __future__ import annotations

import json
import logging
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.library import KINDS, open_library
from assets.library.catalogue import check as check_folder
from assets.library.import_hdri import import_hdri as read_hdris
from assets.library.import_makehuman import Origin
from assets.library.import_makehuman import import_makehuman as read_makehuman
from assets.library.install import Imported
from capture import Capture, CaptureInfo, InputError, read_json
from capture.listing import list_files
from factory.cli.parser import Command, argument

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class List:
    """Options of `assets list`.

    Attributes:
        library: folder of an asset library; may be repeated, and later ones take precedence.
        kind: list only assets of this kind.
    """

    library: tuple[Path, ...] = ()
    kind: str | None = None


def list_assets(options: List) -> None:
    """List the assets of libraries, as generation would see them: kind, id, weight, licence, tags."""
    from generator.components.environment import HDRIS

    rows = [("hdri", name, "1", "CC0-1.0", "comes with Blender") for name in HDRIS]
    for asset in open_library(options.library).assets.values():
        rows.append((asset.kind, asset.id, f"{asset.weight:g}", asset.licence, " ".join(asset.tags)))
    if options.kind is not None and options.kind not in KINDS:
        raise InputError(f"unknown kind {options.kind!r}; use one of {', '.join(KINDS)}")
    _table([row for row in sorted(rows) if options.kind in (None, row[0])])


@dataclass(frozen=True, kw_only=True)
class Check:
    """Options of `assets check`.

    Attributes:
        library: folders of asset libraries.
    """

    library: tuple[Path, ...] = argument()


def check(options: Check) -> None:
    """Check every asset of libraries: manifest, licence, files, images. Ends with code 2 where something is wrong."""
    wrong = 0
    for folder in options.library:
        good, problems = check_folder(folder)
        wrong += len(problems)
        for problem in problems:
            log.warning("%s", problem)
        log.info("%s: %d assets are complete", folder, len(good))
    if wrong:
        places = ", ".join(map(str, options.library))
        raise InputError(f"{wrong} problem{'s' * (wrong > 1)} in {places}; see above")


@dataclass(frozen=True, kw_only=True)
class Import:
    """Options that all imports have in common.

    Attributes:
        out: folder of the asset library that is written; what is in it stays.
        link: link to the files where they lie instead of copying them.
    """

    out: Path = Path("library")
    link: bool = False


@dataclass(frozen=True, kw_only=True)
class ImportMakeHuman(Import):
    """Options of `assets import-makehuman`.

    Attributes:
        folder: MakeHuman's data folder, with skins, hair, clothes, ... in it.
        name: first word of the ids of the assets.
        licence: licence of the pack; by default what its files say.
    """

    folder: Path = argument()
    name: str = "makehuman"
    licence: str | None = None


def import_makehuman(options: ImportMakeHuman) -> None:
    """Make a library of a MakeHuman data folder: skins, hair, clothes, hats, brows, lashes, eyes."""
    origin = Origin(options.name, options.licence or "")
    _report(read_makehuman(options.folder, options.out, origin, options.link), options.out)


@dataclass(frozen=True, kw_only=True)
class ImportHdri(Import):
    """Options of `assets import-hdri`.

    Attributes:
        folder: folder of .exr and .hdr panoramas.
        licence: licence under which they may be used, as in CC0-1.0.
        author: author, for credits.
        source: where they come from, for credits.
    """

    folder: Path = argument()
    licence: str
    author: str | None = None
    source: str | None = None


def import_hdri(options: ImportHdri) -> None:
    """Make a library of a folder of panoramas (.exr, .hdr)."""
    about = {"author": options.author or "", "source": options.source or ""}
    _report(read_hdris(options.folder, options.out, options.licence, **about, link=options.link), options.out)


def _report(imported: Imported, out: Path) -> None:
    for name, why in imported.left_out:
        log.warning("%s is left out: %s", name, why)
    if not imported.assets:
        raise InputError(f"nothing was imported into {out}: all {len(imported.left_out)} assets were left out")
    kinds = [asset.kind for asset in imported.assets]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in KINDS if kind in kinds)
    log.info("%s: %d assets (%s), %d left out", out, len(kinds), counts, len(imported.left_out))


@dataclass(frozen=True, kw_only=True)
class Credits:
    """Options of `assets credits`.

    Attributes:
        where: captures, folders of captures or data sets.
    """

    where: tuple[Path, ...] = argument()


def credits(options: Credits) -> None:
    """Print the assets that captures or data sets show: how many heads, licence, author, source."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    heads: dict[tuple[str, str], int] = {}
    total = 0
    for info in (info for folder in options.where for info in _infos(folder)):
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
    if shards := [path for path in list_files(folder, below=False) if path.suffix == ".tar"]:
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


def _table(rows: Sequence[tuple[str, ...]]) -> None:
    """Columns on standard output."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


COMMANDS = {
    "list": Command(list_assets),
    "check": Command(check),
    "import-makehuman": Command(import_makehuman),
    "import-hdri": Command(import_hdri),
    "credits": Command(credits),
}
