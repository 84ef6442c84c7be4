"""Arguments of the public functions: paths or records, and progress."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from capture import Capture, Scan
from scans.landmarks.options import LandmarkOptions
from scans.meshes.reading import read_scan

# Called with the step and the share of the whole that is done, 0 to 1.
Progress = Callable[[str, float], None]


def no_progress(step: str, share: float) -> None:
    """Progress that nobody asked for."""


def open_capture(capture: Capture | Path | str) -> Capture:
    """The capture, read where a folder is named. Raises `InputError`."""
    return capture if isinstance(capture, Capture) else Capture.read(capture)


@contextmanager
def opened_views(
    capture: Capture | Path | str,
    options: LandmarkOptions | None = None,
    progress: Progress = no_progress,
    *,
    need_colours: bool = True,
) -> Iterator[tuple[Capture, Scan | None]]:
    """The capture and None; of a mesh file views that are rendered of it, which end with the block, and its scan.

    Raises `InputError` as `render_capture` does.
    """
    if isinstance(capture, Capture) or not Path(capture).is_file():
        yield open_capture(capture), None
        return
    from scans.mesh_views.rendered_capture import render_capture

    path = Path(capture)
    with tempfile.TemporaryDirectory(prefix="p2p-views-") as place:
        folder = Path(place) / path.stem
        yield render_capture(path, options, progress, folder, need_colours=need_colours)


def open_scan(scan: Scan | Path | str) -> Scan:
    """The scan, read where a file is named. Raises `InputError`."""
    return scan if isinstance(scan, Scan) else read_scan(Path(scan))


def optional_path(path: Path | str | None) -> Path | None:
    """The path, None where none is given."""
    return None if path is None else Path(path)


def unit_text(unit: str | float | None) -> str | None:
    """A unit as the options of commands have it."""
    return None if unit is None else str(unit)
