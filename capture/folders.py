"""Checks that a folder is a capture; where it is none, one line says what it is instead."""

from __future__ import annotations

from pathlib import Path

from capture.colmap import find_model, is_model
from capture.errors import InputError
from capture.listing import list_folders

INFO = "capture.json"
_NAMED = 3  # captures that a message lists


def is_capture(folder: Path) -> bool:
    """Whether a folder looks like a capture: by its cameras, or by its `capture.json`."""
    return (folder / INFO).is_file() or any(map(is_model, _models(folder)))


def _models(folder: Path) -> list[Path]:
    sparse = folder / "sparse"
    return [sparse, *list_folders(sparse)] if sparse.is_dir() else []


def check_folder(folder: Path) -> None:
    """Raise `InputError` where there is no such folder, or it is known to be something else than a capture."""
    if not folder.is_dir():
        if folder.is_file():
            raise InputError(f"{folder} is a file; name the folder of its capture")
        raise InputError(f"no such capture folder: {folder}")
    if not is_capture(folder) and (other := _explain(folder)) is not None:
        raise other


def _explain(folder: Path) -> InputError | None:
    """The error that names what `folder` is, if not a capture; None where nothing is known of it."""
    for place in (folder, folder / "captures"):
        captures = [below for below in list_folders(place) if is_capture(below)] if place.is_dir() else []
        if captures:
            return _many(place, captures)
    whole = folder.resolve()
    for above in whole.parents[:2]:  # images/, sparse/, sparse/0, masks/
        part = whole.relative_to(above).parts[0]
        if part in ("images", "sparse", "masks") and is_capture(above):
            return InputError(f"{folder} is part of a capture; name the capture's folder: {above}")
    if find_model(folder) is not None:
        if (folder / "images").is_dir():
            return InputError(
                f"no cameras in {folder / 'sparse'}: the COLMAP model lies beside images/; move its files into sparse/"
            )
        return InputError(
            f"{folder} is a COLMAP model alone; a capture is a folder that holds it as sparse/, beside its images/"
        )
    if (folder / "dataset.json").is_file():
        return InputError(f"{folder} is a data set, packed; name the folder of one capture")
    return None


def _many(folder: Path, captures: list[Path]) -> InputError:
    names = ", ".join(place.name for place in captures[:_NAMED])
    if len(captures) == 1:
        return InputError(f"{folder} is no capture, it holds one: name {captures[0]}")
    more = ", ..." if len(captures) > _NAMED else ""
    return InputError(f"{folder} is no capture, it holds {len(captures)} of them ({names}{more}); name one")
