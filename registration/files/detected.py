"""Landmarks that a detector finds in a capture's images: a start for the registration, and a check of it."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import Capture, Mesh, Scan
from registration.apertures import PAIRS
from registration.files.landmark_check import FEWEST
from scans.distance import surface_distance_mm
from scans.landmarks.face_size import some_landmarks
from scans.landmarks.names import STEADY
from scans.landmarks.records import FILE, FaceLandmarks
from scans.mesh_views.rendered_capture import capture_folder

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]

_OFF_SCAN_MM = 12.0  # median distance from the scan: farther off, the cameras have another frame or unit


def landmarks_of(where: Path) -> FaceLandmarks | None:
    """Landmarks of a capture folder, or of the views that were rendered of a mesh file; None where there are none.

    Raises `InputError` where `landmarks.json` is damaged.
    """
    if where.is_dir():
        return some_landmarks(Capture.read(where))
    path = capture_folder(where) / FILE
    return FaceLandmarks.read(path) if path.is_file() else None


def steady_landmarks(found: FaceLandmarks | None, what: str, scan: Scan, metres: float) -> dict[str, Floats] | None:
    """The steady ones of landmarks, name -> (3,) metres, as a start and a check, and those of the apertures.

    None where too few are found, or they don't lie on the scan, which is in units of `metres`; `what` names it.
    """
    if found is None:
        return None
    named = found.named()
    steady = {name: metres * named[name] for name in STEADY if name in named}
    if len(steady) < FEWEST:
        return None
    mesh = Mesh(metres * scan.vertices.astype(np.float64), scan.faces)
    off = float(np.median(surface_distance_mm(np.stack(list(steady.values())), mesh)))
    if off > _OFF_SCAN_MM:
        log.info("%s: landmarks in the images lie %.0f mm from the scan (median): not used", what, off)
        return None
    return steady | {name: metres * named[name] for pair in PAIRS.values() for name in pair if name in named}
