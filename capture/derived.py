"""Files in a capture that are made of its scan, and files there that something else made."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from capture.files import explain_os_error, make_folder

PREDICTION_EXTRAS = (
    "prediction/masks",
    "prediction/view.html",
    "prediction/segmented_textures",
    *(f"prediction/segmented.{suffix}" for suffix in ("obj", "mtl", "blend")),
)
"""Output of `p2p segment` that options ask for or leave out; masks and textures are folders."""
PREDICTION = (
    *(f"prediction/{name}" for name in ("prediction.npz", "prediction.json", "segmented.ply")),
    *(f"prediction/{name}" for name in ("skin.ply", "segmented.png")),
    *PREDICTION_EXTRAS,
)
"""Output of `p2p segment`."""
UDIM = range(1001, 1101)
"""Numbers of a texture's tiles."""
TEXTURE = (
    "registered.mtl",
    *(f"texture{kind}{tile}.png" for tile in ("", *(f".{n}" for n in UDIM)) for kind in ("", "_mask")),
)
"""Output of `p2p register --texture` in its folder; tiles have UDIM numbers."""
REGISTRATION = (
    *(f"registration/registered.{suffix}" for suffix in ("json", "ply", "obj", "png")),
    "registration/view.html",
    *(f"registration/{name}" for name in TEXTURE),
)
"""Output of `p2p register`."""
LANDMARKS = ("landmarks.json", "landmarks.png")
"""Output of `p2p landmarks`, which is made of the images alone."""
SCALE = ("scale.json",)
"""The scale of the cameras, measured or stated."""
REPLACED = "replaced"
"""Folder in a capture of files that others took the place of, and that this program can't make again."""


def remove_files(folder: Path, names: tuple[str, ...]) -> list[str]:
    """Remove files of a capture's folder, and folders with all that is in them; returns the names that were there.

    A folder below it that is left empty goes, too. Raises `InputError` where a file can't be removed.
    """
    removed = []
    for name in names:
        path = Path(folder) / name
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise explain_os_error(error, path) from None
        removed.append(name)
        if path.parent != Path(folder):
            with suppress(OSError):  # something of the user's is in it
                path.parent.rmdir()
    return removed


def keep_aside(path: Path) -> Path:
    """Keep what a file of a capture holds in its folder `replaced`, under a name that is free there; returns that."""
    place = path.parent / REPLACED
    make_folder(place)
    target, number = place / path.name, 0
    while target.exists():
        number += 1
        target = place / f"{path.stem}_{number}{path.suffix}"
    try:
        try:
            os.link(path, target)  # files are replaced, not written into: the content stays
        except OSError:
            shutil.copy2(path, target)
    except OSError as error:
        raise explain_os_error(error, target) from None
    return target


def shorten(names: list[str]) -> str:
    """Names of files as a message lists them: what lies in a folder as that folder."""
    return ", ".join(dict.fromkeys(f"{name.split('/')[0]}/" if "/" in name else name for name in names))
