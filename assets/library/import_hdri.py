"""From a folder of panoramas to a library."""

from __future__ import annotations

from pathlib import Path

from assets.library.images import SUFFIXES
from assets.library.install import Imported, install_asset
from assets.library.manifest import Asset
from capture import InputError

PANORAMAS = (".exr", ".hdr")


def import_hdri(
    folder: Path, out: Path, licence: str, *, author: str = "", source: str = "", link: bool = False
) -> Imported:
    """Copy (or link) the .exr and .hdr files below a folder into the library `out`, ids `<folder>/<file>`.

    Unreadable ones are left out and told. Raises `InputError` where the folder is missing or holds none.
    """
    if not folder.is_dir():
        raise InputError(f"no such folder of panoramas: {folder}")
    if not licence.strip():
        raise InputError("the licence is missing; say under which they may be used: `licence` CC0-1.0, for example")
    panoramas = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PANORAMAS and path.is_file())
    if not panoramas:
        others = ", ".join(suffix for suffix in SUFFIXES if suffix not in PANORAMAS)
        raise InputError(f"{folder} has no panoramas ({', '.join(PANORAMAS)}); {others} hold too little light")
    imported = Imported()
    prefix = folder.resolve().name
    for path in panoramas:
        asset = Asset("hdri", f"{prefix}/{path.stem}", {}, licence, path.parent, author, source)
        try:
            imported.add(install_asset(asset, {"image": path}, out, link, imported.taken))
        except InputError as error:
            imported.leave_out(path.stem, str(error))
    return imported
