"""Finding, reading and writing of COLMAP models."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable
from pathlib import Path

from capture.colmap.binary import binary_files, count_binary, read_binary
from capture.colmap.model import SparseModel
from capture.colmap.tables import Tables, assemble
from capture.colmap.text import count_text, read_text, text_files
from capture.errors import InputError
from capture.files import explain_os_error, write_bytes
from capture.listing import list_folders
from capture.runtime.warnings_once import warn_once

logger = logging.getLogger(__name__)

_READERS: dict[str, tuple[Callable[[Path], Tables], Callable[[Path], int]]] = {
    ".bin": (read_binary, count_binary),
    ".txt": (read_text, count_text),
}
_NEEDED = ("cameras", "images", "points3D")
_TABLES = (*_NEEDED, "rigs", "frames")
REPLACED = "replaced"  # folder for files of an older model that COLMAP would read instead of the new one


def read_model(folder: Path) -> SparseModel:
    """Read the COLMAP model in `folder`, or the largest one in a folder below it.

    Cameras come in the order of their image names. Of a binary and a text model in one folder the one
    is read that COLMAP reads: binary where it is whole.

    Raises:
        InputError: where the model is missing, empty or damaged.
    """
    folder = Path(folder)
    found = find_model(folder)
    if found is None:
        lacking = "holds neither cameras.bin + images.bin nor cameras.txt + images.txt"
        if not folder.is_dir():
            lacking = "is missing"
        raise InputError(f"no cameras: {folder} {lacking}; `p2p calibrate` finds those of images")
    suffix = _suffix(found)
    assert suffix is not None
    try:
        model = assemble(_READERS[suffix][0](found), found)
    except OSError as error:
        raise InputError(f"COLMAP model can't be read: {error.filename or found} ({error.strerror})") from None
    except (struct.error, ValueError, OverflowError, IndexError, KeyError, StopIteration) as error:
        reason = str(error) or "a line ends too early"
        raise InputError(f"damaged COLMAP model in {found} (*{suffix}): {reason}; export it again") from None
    if not model.cameras:
        raise InputError(f"no cameras: the COLMAP model in {found} has no image; calibrate the capture first")
    return model


def find_model(folder: Path) -> Path | None:
    """The folder of the model that `read_model` reads, None where there is none.

    It is `folder` itself where that holds a model, else of the folders in it, where COLMAP's mapper puts its models,
    the one with the most images. Where others are passed over, the log says so.
    """
    folder = Path(folder)
    if not folder.is_dir():
        return None
    below = [
        place
        for place in sorted(list_folders(folder), key=_by_number)
        if is_model(place) and not place.name.startswith(REPLACED)
    ]
    if is_model(folder):
        own = _count(folder)
        larger = [f"{place.name} has {_count(place)}" for place in below if _count(place) > own]
        if larger:
            warn_once(f"{folder}: the model there is taken, with {own} images; of those below it {', '.join(larger)}")
        return folder
    if not below:
        return None
    chosen = max(below, key=_count)  # the first of equals
    if len(below) > 1:
        others = ", ".join(f"{place.name} has {_count(place)}" for place in below if place != chosen)
        warn_once(f"{folder}: {len(below)} models; {chosen.name} is taken, with {_count(chosen)} images ({others})")
    return chosen


def is_model(folder: Path) -> bool:
    """Whether a folder holds the files of a model."""
    return _suffix(Path(folder)) is not None


def _suffix(folder: Path) -> str | None:
    """Of the files to read.

    COLMAP takes the binary ones where all three are there, else the text. A model without points is none to COLMAP.
    """
    for needed in (_NEEDED, _NEEDED[:2]):
        for suffix in _READERS:
            if all((folder / f"{table}{suffix}").is_file() for table in needed):
                return suffix
    return None


def _by_number(path: Path) -> tuple[bool, int, str]:
    """Folders that are numbers first, in their order."""
    number = path.name.isascii() and path.name.isdigit()
    return not number, int(path.name) if number else 0, path.name


def _count(folder: Path) -> int:
    """Images of the model; -1 where it is damaged."""
    suffix = _suffix(folder)
    assert suffix is not None
    try:
        return _READERS[suffix][1](folder)
    except (OSError, struct.error, ValueError):
        return -1


def write_model(folder: Path, model: SparseModel, *, binary: bool = False) -> None:
    """Write `model` into `folder`; each file atomically. Image and camera ids count from 1 in the given order.

    Files of an older model that COLMAP would read instead, or together with the new one (the other format, rigs and
    frames), are moved into the folder `replaced`, and the log says so.
    """
    folder = Path(folder)
    files = binary_files(model) if binary else text_files(model)
    _set_aside(
        folder, [f"{table}{suffix}" for table in _TABLES for suffix in _READERS if f"{table}{suffix}" not in files]
    )
    for name, data in files.items():
        write_bytes(folder / name, data)


def _set_aside(folder: Path, names: list[str]) -> None:
    old = [folder / name for name in names if (folder / name).is_file()]
    if not old:
        return
    number, target = 1, folder / REPLACED
    while target.exists():
        number += 1
        target = folder / f"{REPLACED}_{number}"
    try:
        target.mkdir()
        for path in old:
            path.rename(target / path.name)
    except OSError as error:
        raise explain_os_error(error, target) from error
    logger.warning(
        "%s: %s belong to an older model and are moved to %s", folder, ", ".join(p.name for p in old), target.name
    )
