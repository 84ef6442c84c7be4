"""From a folder of panoramas to a library."""

from __future__ import annotations

from pathlib import Path

from assets.library.images import SUFFIXES
from assets.library.install import Imported, free_id, install_asset
from assets.library.manifest import Asset
from capture import InputError
from capture.listing import list_files

PANORAMAS = (".exr", ".hdr")


def import_hdri(
    folder: Path, out: Path, licence: str, *, author: str = "", source: str = "", link: bool = False
) -> Imported:
    """Copy (or link) the .exr and .hdr files below a folder into the library `out`.

    Ids are `<folder>/<file>`; of further files of one name `<folder>/<sub-folder>/<file>`, then with the suffix.
    Unreadable ones are left out and told; hidden files are passed over. Raises `InputError` where the folder is missing
    or holds none.
    """
    if not folder.is_dir():
        raise InputError(f"no such folder of panoramas: {folder}")
    if not licence.strip():
        raise InputError("the licence is missing; say under which they may be used: `licence` CC0-1.0, for example")
    panoramas = [path for path in list_files(folder) if path.suffix.lower() in PANORAMAS]
    panoramas.sort(key=lambda path: (len(path.parts), path))  # names above go before those below
    if not panoramas:
        others = ", ".join(suffix for suffix in SUFFIXES if suffix not in PANORAMAS)
        raise InputError(f"{folder} has no panoramas ({', '.join(PANORAMAS)}); {others} hold too little light")
    imported = Imported()
    prefix = folder.resolve().name
    for path in panoramas:
        below = path.relative_to(folder)
        names = (path.stem, below.with_suffix("").as_posix(), below.as_posix())
        name = next((name for name in names if free_id(f"{prefix}/{name}", imported.taken)), names[-1])
        asset = Asset("hdri", f"{prefix}/{name}", {}, licence, path.parent, author, source)
        try:
            imported.add(install_asset(asset, {"image": path}, out, link, imported.taken))
        except InputError as error:
            imported.leave_out(below.as_posix(), str(error))
    return imported
