"""Landmarks that a detector finds in a capture's images: a start for the registration, and a check of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import Capture, InputError, Mesh, Scan
from registration.files.landmark_check import LandmarkCheck
from registration.files.outputs import ScanRegistration
from scans.distance import surface_distance_mm
from scans.landmarks.finding import find_landmarks
from scans.landmarks.names import STEADY
from scans.landmarks.records import FILE, FaceLandmarks
from scans.mesh_views.rendered_capture import capture_folder

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]

_FEWEST = 5  # of the steady ones
_MOST_VIEWS = 16  # in which they are looked for
_OFF_SCAN_MM = 12.0  # median distance from the scan: farther off, the cameras have another frame or unit
DOUBTFUL_MM, WRONG_MM = 10.0, 40.0  # median distance of the template's from the detected ones: 2 to 3 where all is well


def detected_landmarks(where: Path, scan: Scan, metres: float) -> dict[str, Floats] | None:
    """The steady landmarks, name -> (3,) metres, of a capture folder or of the views that were rendered of a mesh file.

    They are those of `landmarks.json` where it is there; else a capture's images are looked at. None where the model
    of landmarks is not installed, too few are found, or they don't lie on the scan, which is in units of `metres`.
    """
    try:
        found = _landmarks(where)
    except InputError as error:
        log.debug("no landmarks: %s", error)
        return None
    if found is None:
        return None
    named = found.named()
    steady = {name: metres * named[name] for name in STEADY if name in named}
    if len(steady) < _FEWEST:
        return None
    mesh = Mesh(metres * scan.vertices.astype(np.float64), scan.faces)
    off = float(np.median(surface_distance_mm(np.stack(list(steady.values())), mesh)))
    if off > _OFF_SCAN_MM:
        log.info("%s: landmarks in the images lie %.0f mm from the scan (median): not used", where, off)
        return None
    return steady


def _landmarks(where: Path) -> FaceLandmarks | None:
    folder = where if where.is_dir() else capture_folder(where)
    if (folder / FILE).is_file():
        return FaceLandmarks.read(folder / FILE)
    if not where.is_dir():
        return None
    capture = Capture.read(where)
    count = len(capture.cameras)
    views = sorted({round(view) for view in np.linspace(0, count - 1, min(count, _MOST_VIEWS))})
    some = capture.model.with_views([capture.cameras[view] for view in views], views)
    return find_landmarks(Capture(capture.folder, some, capture.info))


def check_by_landmarks(done: ScanRegistration, detected: Mapping[str, Floats]) -> LandmarkCheck | None:
    """The distances of the registered template's landmarks; None where it has too few of them."""
    vertices, known = done.registration.vertices, done.template.model.landmarks
    distance = {}
    for name, place in detected.items():
        ours = done.template.landmark(vertices, name) if name in known else None
        if ours is not None:
            distance[name] = 1000 * float(np.linalg.norm(ours - place))
    if len(distance) < _FEWEST:
        return None
    return LandmarkCheck(float(np.median(list(distance.values()))), distance)
