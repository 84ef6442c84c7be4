"""Listing of people's folders."""

from __future__ import annotations

import os
from pathlib import Path

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


def list_folders(folder: Path) -> list[Path]:
    """The folders in a folder, sorted, without hidden ones."""
    return sorted(path for path in Path(folder).iterdir() if not _hidden(path.name) and path.is_dir())


def _hidden(name: str) -> bool:
    return name.startswith(".") or name in _FOREIGN
