"""The folder that a head is rendered into: nothing of a former head may stay there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from capture import Capture, InputError
from capture.derived import LANDMARKS, PREDICTION, REGISTRATION, SCALE, remove_files
from capture.files import explain_os_error
from capture.labels import is_painted
from generator.jobs.scene import BLEND, GLB

# What later stages make of the images: it shows the former head.
_DERIVED = (Capture.SCAN, Capture.LABELS, Capture.QUALITY, Capture.BLEND)


def refuse_painted(folder: Path) -> None:
    """Raise `InputError` where a capture's labels were painted by a person: the scan that they are of would go."""
    labels = folder / Capture.LABELS
    if is_painted(labels):
        cure = "render into another folder, or move the capture away"
        raise InputError(f"{labels} was painted by a person, on the scan that rendering anew removes; {cure}")


def derived_files(folder: Path) -> list[str]:
    """Names of the files that were made of a capture's images: its scan, labels, measures, predictions and so on."""
    names = (Capture.SCAN, Capture.LABELS, Capture.QUALITY, *LANDMARKS, *SCALE, *PREDICTION, *REGISTRATION)
    return [name for name in names if (folder / name).is_file()]


def forget_former(folder: Path) -> list[str]:
    """Remove what an earlier run left in a capture's folder, `capture.json` first, as it says that the rest is whole.

    Scan, labels, the stamps of the stages, predictions and registrations go too: kept, they would pass for those of the
    new head. Only files of the names that this project writes are touched. Returns the names of those that had been
    made of the former images. Raises `InputError` where one can't be removed, and before any is, where a person painted
    the labels.
    """
    refuse_painted(folder)
    derived = derived_files(folder)
    for path in _former(folder):
        try:
            path.unlink()
        except (FileNotFoundError, NotADirectoryError):  # nothing there, or writing will name the trouble
            continue
        except OSError as error:
            raise explain_os_error(error, path) from None
    remove_files(folder, (*LANDMARKS, *SCALE, *PREDICTION, *REGISTRATION))
    return derived


def _former(folder: Path) -> Iterator[Path]:
    yield folder / Capture.INFO
    yield from sorted(folder.glob("stages/*.json"))
    yield from (folder / name for name in (Capture.HEAD, *_DERIVED, BLEND, GLB))
    for table in ("cameras", "images", "points3D"):
        yield from (folder / "sparse" / f"{table}{suffix}" for suffix in (".txt", ".bin"))
    for pattern in ("view_*.png", ".view_*.png", ".view_*.exr"):  # the latter: cut off while they were written
        yield from sorted(folder.glob(f"images/{pattern}"))
        yield from sorted(folder.glob(f"masks/{pattern}"))
    for pattern in ("view_*.exr", ".view_*.exr"):
        yield from sorted(folder.glob(f"passes/*/{pattern}"))
