"""The installation of an asset, its files and its manifest, in a library folder."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from assets.library.images import image_problem
from assets.library.manifest import IMAGES, MANIFEST, Asset, read_asset
from capture import InputError, atomic_path, write_json
from capture.files import explain_os_error, make_folder


@dataclass
class Imported:
    """The outcome of an import.

    Attributes:
        assets: those that are in the library now.
        left_out: (asset, why) of those that are not.
    """

    assets: list[Asset] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    @property
    def taken(self) -> set[str]:
        """The ids so far."""
        return {asset.id for asset in self.assets}

    def add(self, asset: Asset) -> None:
        self.assets.append(asset)

    def leave_out(self, name: str, why: str) -> None:
        self.left_out.append((name, why))


def install_asset(asset: Asset, sources: Mapping[str, Path], library: Path, link: bool, taken: set[str]) -> Asset:
    """Copy or link an asset's files into `<library>/<kind>/<id>/` and write its manifest, last.

    Args:
        asset: its folder and file names are set here.
        sources: role -> file.
        link: make links to the files where they lie instead of copies.
        taken: ids of this import: a second asset of one name gets the kind into its id.

    Raises `InputError` where an image is damaged or the library can't be written.
    """
    for role, path in sources.items():
        if role in IMAGES and (problem := image_problem(path, deep=True)):
            raise InputError(f"its {role} file can't be read: {path} ({problem})")
    asset = replace(asset, id=_legal(asset.id))
    if not free_id(asset.id, taken):
        prefix, _, name = asset.id.rpartition("/")
        asset = replace(asset, id=f"{prefix}/{asset.kind}/{name}")
        if not free_id(asset.id, taken):
            raise InputError(f"the id {asset.id!r} is taken by another asset of the same name")
    folder = library / asset.kind / _folder_name(asset.id)
    names = _names(sources)
    (folder / MANIFEST).unlink(missing_ok=True)
    for role, path in sources.items():
        _put(path, folder / names[role], link)
    placed = replace(asset, folder=folder, files=names)
    write_json(folder / MANIFEST, placed.to_json())
    try:
        return read_asset(folder / MANIFEST)
    except InputError:  # it would make the whole library unusable
        (folder / MANIFEST).unlink(missing_ok=True)
        raise


def free_id(name: str, taken: Collection[str]) -> bool:
    """Whether an asset of this name gets an id, and a folder, that none of `taken` has."""
    return _folder_name(_legal(name)) not in {_folder_name(each) for each in taken}


def _folder_name(asset: str) -> str:
    return asset.replace("/", "-")


def _legal(name: str) -> str:
    """An id made of the words that manifests take: letters of any script, digits, and a few signs."""
    words = (re.sub(r"[^\w.\-]+", "_", word).lstrip("_.-") for word in unicodedata.normalize("NFC", name).split("/"))
    return "/".join(filter(None, words)) or "asset"


def _names(sources: Mapping[str, Path]) -> dict[str, str]:
    """role -> a name of its own in the asset's folder; two roles may share one file."""
    names: dict[str, str] = {}
    for role, path in sources.items():
        clash = any(names[other] == path.name and sources[other] != path for other in names)
        names[role] = f"{role}_{path.name}" if clash else path.name
    return names


def _put(source: Path, target: Path, link: bool) -> None:
    make_folder(target.parent)
    try:
        if link:
            target.unlink(missing_ok=True)
            target.symlink_to(source.resolve())
            return
    except OSError as error:
        raise explain_os_error(error, target) from error
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)
