"""Listing of people's folders."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path, PurePosixPath

_FOREIGN = ("__MACOSX",)  # what macOS adds to archives


def list_files(folder: Path, *, below: bool = True) -> list[Path]:
    """The files of a folder, sorted, without hidden ones (`._view.png`, `.DS_Store`, `.cache/...`).

    Args:
        folder: empty where it is missing.
        below: files in its sub-folders, too; links to folders are followed.
    """
    found = []
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if below and not _hidden(name)]
        found += [Path(place, name) for name in names if not _hidden(name)]
    return sorted(found)


def find_file(folder: Path, name: str) -> Path | None:
    """The file `name` (with slashes) below a folder, exactly so or else in other case; None where there is none.

    Names of other systems differ in case and in how letters are composed. Of several that differ so, none is taken.
    """
    exact = folder / name
    if exact.is_file():
        return exact
    place = folder
    for word in PurePosixPath(name).parts:
        if word == ".." or (place / word).exists():
            place = place / word
            continue
        like = [path for path in place.iterdir() if _alike(path.name) == _alike(word)] if place.is_dir() else []
        if len(like) != 1:
            return None
        place = like[0]
    return place if place.is_file() else None


def _alike(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def list_folders(folder: Path) -> list[Path]:
    """The folders in a folder, sorted, without hidden ones."""
    return sorted(path for path in Path(folder).iterdir() if not _hidden(path.name) and path.is_dir())


def _hidden(name: str) -> bool:
    return name.startswith(".") or name in _FOREIGN
