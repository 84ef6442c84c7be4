"""Measurement of a capture's scale: by the face in its images, and by the head in its scan."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from numpy.typing import NDArray

from capture import Capture, InputError, Scan
from registration.files.inputs import weights_of
from registration.head_size import HEAD, evidence_of_head
from registration.template import load_template
from scans.head_sample import HeadSample
from scans.landmarks.face_size import evidence_of, face_mesh, some_landmarks
from scans.meshes.reading import read_scan
from scans.predictions import Prediction
from scans.scale import CaptureScale, Evidence, known_scale
from scans.scaling import scaled, scaled_camera
from scans.skin_labels import default_labels_file, read_skin
from scans.unit_guess import TYPICAL_M
from scans.units import has_unit_of, scan_width

log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]
Segmenter = Callable[[HeadSample], Prediction]
"""A labeller: labels the scan of a head, in metres."""


def _no_progress(step: str, share: float) -> None:
    pass


def measure_scale(
    capture: Capture,
    segmenter: Segmenter | None = None,
    progress: Progress = _no_progress,
    scan: Scan | None = None,
) -> CaptureScale | None:
    """Measure the scale of a capture, whatever it is said to be; None where nothing tells it. Nothing is written.

    By the face and the pupils, where the model of landmarks is installed and finds them in two images; and by the size
    of the head in the scan, where there is one: of its skin as it was painted or predicted, or as a first pass has it.

    Args:
        capture: N views, and a scan or none.
        segmenter: makes the first pass; without one there is none.
        progress: called with the step and the share that is done.
        scan: in the frame of the cameras, in place of the capture's own.

    Raises:
        InputError: where a file of the capture is damaged.
    """
    face = measure_face(capture, lambda step, share: progress(step, 0.3 * share))
    head = _measure_head(capture, scan, None if face is None else face.metres, segmenter, progress)
    progress("scale", 1.0)
    evidence = [each for each in (face, head) if each is not None]
    return CaptureScale.of(evidence) if evidence else None


def measure_face(capture: Capture, progress: Progress = _no_progress) -> Evidence | None:
    """The scale by the face in a capture's images; None where none is found. Raises as `measure_scale` does."""
    found = some_landmarks(capture, progress)
    return None if found is None else evidence_of(found, face_mesh())


def _measure_head(
    capture: Capture, scan: Scan | None, metres: float | None, segmenter: Segmenter | None, progress: Progress
) -> Evidence | None:
    """The scale by the head in a scan, the capture's own where None; `metres` per unit where something tells them."""
    path = default_labels_file(capture.folder) if scan is None else None
    if scan is None:
        if not capture.scan_path.is_file():
            return None
        scan = read_scan(capture.scan_path)
    start = TYPICAL_M / scan_width(scan) if metres is None else metres
    if not has_unit_of(scan, capture.cameras, start):
        log.info("%s: the scan is not where the cameras look: its head tells no scale of theirs", capture.folder)
        return None
    weights = None if path is None else _weights(path, scan)
    if weights is None and segmenter is not None:
        progress("first pass", 0.3)
        weights = segmenter(_in_units_of(HeadSample.from_capture(capture, scan), start)).probability
    if weights is None:
        return None
    progress("head", 0.8)
    return evidence_of_head(load_template(), scan, weights, metres, look=metres is None)


def _weights(path: Path, scan: Scan) -> NDArray | None:
    """(V,) of being skin by a capture's labels or prediction; None, with a line, where they are of another scan."""
    try:
        return weights_of(read_skin(path, scan)).weights
    except InputError as error:
        log.info("not used to find the scale: %s", error)
        return None


def _in_units_of(head: HeadSample, metres: float) -> HeadSample:
    cameras = tuple(scaled_camera(camera, metres) for camera in head.cameras)
    return replace(head, scan=scaled(head.scan, metres), cameras=cameras)


def scale_of(capture: Capture, segmenter: Segmenter | None = None, scan: Scan | None = None) -> CaptureScale | None:
    """The scale of a capture as it is known, else measured as cheaply as can be; None where nothing tells it.

    Arguments and errors are those of `measure_scale`.
    """
    if known := known_scale(capture):
        return known
    evidence = measure_face(capture) or _measure_head(capture, scan, None, segmenter, _no_progress)
    if evidence is None:
        told = "nothing tells its scale, which is guessed; state `unit`, or set it by `p2p scale`"
        log.warning("%s: %s", capture.folder, told)
        return None
    scale = CaptureScale.of([evidence])
    log.info("scale of %s: %s", capture.folder, scale.text)
    return scale


def with_head(scale: CaptureScale, scan: Scan, skin: NDArray) -> CaptureScale:
    """A scale with what the head in a scan says of it, as a check: the metres stay, as labels were made with them.

    Args:
        scale: that was taken, measured or stated.
        scan: in units of it.
        skin: (V,) 0 to 1.
    """
    if any(each.source == HEAD for each in scale.evidence):
        return scale
    head = evidence_of_head(load_template(), scan, skin, scale.metres, look=scale.stated)
    return scale if head is None else replace(scale, evidence=(*scale.evidence, head))
