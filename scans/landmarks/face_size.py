"""The scale of a capture by the size of the face in it."""

from __future__ import annotations

import logging

import numpy as np

from capture import Capture, InputError
from scans.landmarks.face_mesh import FaceMesh
from scans.landmarks.finding import Progress, find_landmarks, load_detector
from scans.landmarks.names import LEFT_PUPIL, RIGHT_PUPIL
from scans.landmarks.options import LandmarkOptions
from scans.landmarks.records import FILE, FaceLandmarks
from scans.scale import Evidence

log = logging.getLogger(__name__)

_PUPILS_M = 0.063  # between those of grown-ups, mean of women and men (Dodgson 2004)
FACE_SPREAD = 0.055  # of faces' and of eyes' sizes together, and of what detectors make of them
_ASTRAY = 0.35  # logarithm: pupils that tell so much else than the face are not where they seem
_MOST_VIEWS = 16  # in which the face is looked for


def evidence_of(landmarks: FaceLandmarks, mesh: FaceMesh | None) -> Evidence | None:
    """The scale by landmarks: by the size of the face, and by the distance of the pupils where they are known.

    None where there is neither.

    Args:
        landmarks: in the unit of the cameras.
        mesh: the average face; by the pupils alone where None.
    """
    logs = []
    if mesh is not None:
        logs.append(-float(np.log(mesh.similarity_to(landmarks.positions)[1])))
    apart = float(np.linalg.norm(landmarks.positions[RIGHT_PUPIL] - landmarks.positions[LEFT_PUPIL]))
    if np.isfinite(apart) and apart > 0:
        by_pupils = float(np.log(_PUPILS_M / apart))
        if not logs or abs(by_pupils - logs[0]) < _ASTRAY:
            logs.append(by_pupils)
    return None if not logs else Evidence("face and pupils in the images", float(np.exp(np.mean(logs))), FACE_SPREAD)


def some_landmarks(capture: Capture, progress: Progress = lambda step, share: None) -> FaceLandmarks | None:
    """The landmarks that are kept in a capture, or those in some of its images, spread over all.

    None, with a line where it was tried, where the model of landmarks is not installed or finds no face.

    Raises `InputError` where `landmarks.json` is damaged.
    """
    kept = capture.folder / FILE
    if kept.is_file():
        return FaceLandmarks.read(kept)
    try:
        detector = load_detector(LandmarkOptions())
    except InputError as error:
        log.debug("no landmarks: %s", error)  # it is not installed, as usual
        return None
    try:
        count = len(capture.cameras)
        views = sorted({round(view) for view in np.linspace(0, count - 1, min(count, _MOST_VIEWS))})
        some = capture.model.with_views([capture.cameras[view] for view in views], views)
        return find_landmarks(Capture(capture.folder, some, capture.info), progress=progress, detector=detector)
    except InputError as error:
        log.info("%s: no landmarks in the images: %s", capture.folder, error)
        return None


def face_mesh() -> FaceMesh | None:
    """The average face of the model of landmarks; None where that is not installed."""
    try:
        return load_detector(LandmarkOptions()).mesh
    except InputError:
        return None
