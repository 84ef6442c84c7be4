"""A template head on a scan."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from capture import Capture, InputError, Labels, Scan
from pixels2points.arguments import Progress, no_progress, open_scan, unit_text
from registration.options import RegisterOptions
from scans.predictions import Prediction

if TYPE_CHECKING:
    from registration.files.inputs import SkinWeights
    from registration.files.outputs import ScanRegistration

log = logging.getLogger(__name__)


def register(
    scan: Capture | Scan | Path | str,
    labels: Labels | Prediction | Path | str | None = RegisterOptions.labels,
    *,
    template: str = RegisterOptions.template,
    landmarks: Mapping[str, ArrayLike] | Path | str | None = RegisterOptions.landmarks,
    unit: str | float | None = RegisterOptions.unit,
    progress: Progress = no_progress,
) -> ScanRegistration:
    """Deform a template head onto the skin of a scan.

    Nothing is written. This is `p2p register`.

    Args:
        scan: V vertices: a scan, a mesh file (PLY, OBJ), or a capture or its folder, whose `scan.ply` is taken.
        labels: of the V vertices: a prediction, labels, or a file with either; "none" takes the whole scan. Where None,
            what somebody painted of a capture, else its prediction, else its labels.
        template: head model that is deformed: makehuman, an ICT-FaceKit folder, an .npz file, or an .obj file with its
            landmarks beside it.
        landmarks: name -> (3,) point in the scan's unit, or a JSON file of it, for a scan in a frame of its own; the
            names are in docs/registration.md.
        unit: of the scan: m, cm, mm, dm, inch, ft, or metres per unit; measured or guessed from its size where None.
        progress: called with the step and the share of the whole that is done.

    Returns:
        The registration: `mesh()` is the template on the scan (W vertices, F faces; metres, in the scan's frame),
        `summary()` the head model's coefficients and the distance of the face to the scan's skin, mm.

    Raises:
        InputError: where something is missing or doesn't belong together, no vertex is skin, or no head is found.

    Example:
        >>> import pixels2points as p2p
        >>> registration = p2p.register("my_capture", "none")
        >>> registration.mesh().vertices.shape
        (20013, 3)
        >>> registration.summary()["fit"]["median"] < 1.0
        True
    """
    from registration.files.detected import landmarks_of, steady_landmarks
    from registration.files.inputs import landmarks_in_metres, read_landmarks
    from registration.files.register import fit_to_scan
    from registration.files.scan_scale import scan_metres
    from registration.template import load_template

    name, where, given = _opened(scan)
    folder = where if where is not None and where.is_dir() else None
    weights, head = _weights(labels, where, given), load_template(template)
    found = None if where is None else landmarks_of(where)
    metres, scale = scan_metres(f"scan of {name}", folder, given, weights, unit_text(unit), head, found)
    detected = steady_landmarks(found, name, given, metres)
    if scale is not None and scale.disputed:
        log.warning("%s: its scale is in doubt: %s", name, scale.text)
    if isinstance(landmarks, Path | str):
        landmarks = read_landmarks(Path(landmarks), metres)
    elif landmarks is not None:
        landmarks = landmarks_in_metres(landmarks, metres, "`landmarks`")
    return fit_to_scan(name, given, metres, weights, head, landmarks, progress, detected)


def _opened(scan: Capture | Scan | Path | str) -> tuple[str, Path | None, Scan]:
    """Name of a scan, its capture's folder or its file if it has one, and the scan."""
    from registration.files.inputs import read_input_scan

    if isinstance(scan, Scan):
        return "scan", None, scan
    if isinstance(scan, Capture):
        return scan.info.id, scan.folder, open_scan(scan.scan_path)
    name, given = read_input_scan(Path(scan))
    return name, Path(scan), given


def _weights(labels: Labels | Prediction | Path | str | None, where: Path | None, scan: Scan) -> SkinWeights:
    from registration.files.inputs import read_weights, weights_of
    from scans.meshes.reading import scan_key

    if not isinstance(labels, Labels | Prediction):
        return read_weights(None if labels is None else str(labels), where, scan)
    if len(labels.skin) != len(scan.vertices):
        raise InputError(f"`labels` are of {len(labels.skin)} vertices, the scan has {len(scan.vertices)}")
    if labels.scan and labels.scan != scan_key(scan):
        raise InputError("`labels` are of another scan than this, or of this one in other units")
    return weights_of(labels)
