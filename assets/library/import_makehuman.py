"""From a folder of MakeHuman assets to a library."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from assets.library.install import Imported, install_asset
from assets.library.manifest import KINDS, Asset
from assets.library.mhclo import read_material, read_obj, read_origin, read_proxy
from capture import InputError
from capture.listing import find_file, list_files

log = logging.getLogger(__name__)

FOLDERS = {"skins": "skin", "hair": "hair", "clothes": "garment", "hats": "headwear", "headwear": "headwear",
           "eyebrows": "eyebrows", "eyelashes": "eyelashes", "eyes": "eye"}  # fmt: skip
"""Folder of MakeHuman's data -> kind of asset."""
HAT = re.compile(r"hat|cap|beret|beanie|fedora|helmet|headwear|headgear|headband|headscarf|turban|hijab", re.IGNORECASE)
NECK_Y = 5.6
"""Height below the chin of MakeHuman's base mesh in its frame, decimetres: what lies above it is worn on the head."""


@dataclass(frozen=True)
class Origin:
    """Values that hold for all of a pack: prefix of the ids, and a licence where its files name none."""

    prefix: str = "makehuman"
    licence: str = ""


def import_makehuman(folder: Path, out: Path, origin: Origin, link: bool = False) -> Imported:
    """Copy (or link) the usable assets of a MakeHuman data folder into the library `out`.

    Skins and eye materials come from `.mhmat` files, the rest from `.mhclo` files with their mesh and material. What
    lacks a file or is damaged is left out and told. Raises `InputError` where the folder is missing or holds nothing.
    """
    if not folder.is_dir():
        raise InputError(f"no such folder of MakeHuman assets: {folder}")
    imported = Imported()
    for path, kind in _candidates(folder):
        try:
            asset, sources = _asset(path, kind, folder, origin)
            imported.add(install_asset(asset, sources, out, link, imported.taken))
        except InputError as error:
            imported.leave_out(_name(path, folder), str(error))
    if not imported.assets and not imported.left_out:
        raise InputError(f"{folder} has no MakeHuman assets: folders {', '.join(FOLDERS)} with .mhclo and .mhmat files")
    return imported


def _name(path: Path, folder: Path) -> str:
    """As users know it: `clothes/fedora01`."""
    parts = path.relative_to(folder.resolve()).with_suffix("").parts
    return "/".join(parts[:-2] + parts[-1:] if parts[-2:-1] == parts[-1:] else parts)


def _candidates(folder: Path) -> Iterator[tuple[Path, str]]:
    """Files that stand for an asset, with the kind that their folder tells."""
    root = folder.resolve()
    for path in list_files(root):
        parts = [part.lower() for part in (root.name, *path.parent.relative_to(root).parts)]
        kinds = [FOLDERS[part] for part in reversed(parts) if part in FOLDERS]
        if not kinds:
            continue
        materials = kinds[0] in ("skin", "eye")
        if path.suffix.lower() == (".mhmat" if materials else ".mhclo"):
            yield path, kinds[0]


def _asset(path: Path, kind: str, folder: Path, origin: Origin) -> tuple[Asset, dict[str, Path]]:
    """The asset of a file, without its folder, and role -> source file."""
    if path.suffix.lower() == ".mhmat":
        textures, tags = read_material(path)
        sources = _textures(path, textures, folder)
    else:
        proxy = read_proxy(path)
        mesh = _inside(path, proxy.obj_file or f"{path.stem}.obj", folder, "mesh")
        material = _inside(path, proxy.material or f"{path.stem}.mhmat", folder, "material")
        textures, more = read_material(material)
        tags = (*proxy.tags, *more)
        drawn = read_obj(mesh)
        if len(drawn.vertices) != len(proxy.bound):
            raise InputError(f"{path} binds {len(proxy.bound)} vertices, but {mesh.name} has {len(drawn.vertices)}")
        if kind == "garment" and (drawn.vertices[:, 1].min() > NECK_Y or any(map(HAT.search, (path.stem, *tags)))):
            kind = "headwear"
        sources = {"mesh": mesh, "fit": path, **_textures(material, textures, folder)}
    if "diffuse" not in sources:
        raise InputError("its material names no diffuseTexture")
    licence, author, source = read_origin(path)
    licence = origin.licence or licence
    if not licence:
        raise InputError("its files name no licence; give one for the pack as `licence`")
    known = {role: file for role, file in sources.items() if role in (*KINDS[kind].needed, *KINDS[kind].optional)}
    words = tuple(dict.fromkeys(tag.lower() for tag in tags if not tag.startswith("MakeHuman")))
    asset = Asset(kind, f"{origin.prefix}/{path.stem}", {}, licence, path.parent, author, source, words)
    return replace(asset, files={role: file.name for role, file in known.items()}), known


def _textures(material: Path, textures: Mapping[str, str], folder: Path) -> dict[str, Path]:
    """role -> file; a map that is missing is done without, but for the colours."""
    found = {}
    for role, name in textures.items():
        try:
            found[role] = _inside(material, name, folder, f"{role} texture")
        except InputError as error:
            if role == "diffuse":
                raise
            log.warning("%s: %s; it is done without", material, error)
    return found


def _inside(path: Path, name: str, folder: Path, what: str) -> Path:
    """The file that `path` names, which must be there and inside the pack."""
    name = name.replace("\\", "/")
    target = (path.parent / name).resolve()
    if folder.resolve() not in target.parents:
        raise InputError(f"{path.name} names {name!r}, which lies outside of {folder}")
    found = find_file(path.parent, name)
    if found is None:
        raise InputError(f"its {what} is missing: {target}")
    if found.resolve() != target:
        log.warning("%s names %r, which is taken to be %s", path, name, found)
    return found.resolve()
