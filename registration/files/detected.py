"""Landmarks that a detector finds in a capture's images: a start for the registration, and a check of it."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import Capture, InputError, Mesh, Scan
from registration.files.landmark_check import FEWEST
from scans.distance import surface_distance_mm
from scans.landmarks.finding import find_landmarks, load_detector
from scans.landmarks.names import STEADY
from scans.landmarks.records import FILE, FaceLandmarks
from scans.mesh_views.rendered_capture import capture_folder

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]

_MOST_VIEWS = 16  # in which they are looked for
_OFF_SCAN_MM = 12.0  # median distance from the scan: farther off, the cameras have another frame or unit


def detected_landmarks(where: Path, scan: Scan, metres: float) -> dict[str, Floats] | None:
    """The steady landmarks, name -> (3,) metres, of a capture folder or of the views that were rendered of a mesh file.

    They are those of `landmarks.json` where it is there; else a capture's images are looked at. None where the model
    of landmarks is not installed, too few are found, or they don't lie on the scan, which is in units of `metres`.

    Raises `InputError` where `landmarks.json` is damaged.
    """
    folder = where if where.is_dir() else capture_folder(where)
    found = FaceLandmarks.read(folder / FILE) if (folder / FILE).is_file() else _looked_for(where)
    if found is None:
        return None
    named = found.named()
    steady = {name: metres * named[name] for name in STEADY if name in named}
    if len(steady) < FEWEST:
        return None
    mesh = Mesh(metres * scan.vertices.astype(np.float64), scan.faces)
    off = float(np.median(surface_distance_mm(np.stack(list(steady.values())), mesh)))
    if off > _OFF_SCAN_MM:
        log.info("%s: landmarks in the images lie %.0f mm from the scan (median): not used", where, off)
        return None
    return steady


def _looked_for(where: Path) -> FaceLandmarks | None:
    """Landmarks in the images of a capture; None, with a line, where they can't be had, as registering needs none."""
    if not where.is_dir():
        return None
    try:
        detector = load_detector()
    except InputError as error:
        log.debug("no landmarks: %s", error)  # it is not installed, as usual
        return None
    try:
        capture = Capture.read(where)
        count = len(capture.cameras)
        views = sorted({round(view) for view in np.linspace(0, count - 1, min(count, _MOST_VIEWS))})
        some = capture.model.with_views([capture.cameras[view] for view in views], views)
        return find_landmarks(Capture(capture.folder, some, capture.info), detector=detector)
    except InputError as error:
        log.info("%s: no landmarks in the images: %s", where, error)
        return None
