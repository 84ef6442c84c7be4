"""The unit of a scan that is registered: stated, known, or measured by the face and the head in it."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import Capture, RefusedError, Scan
from registration.files.detected import steady_landmarks
from registration.files.inputs import SkinWeights
from registration.files.outputs import ScanRegistration
from registration.head_size import evidence_of_head
from registration.template import Template
from scans.labelled import ACCOUNT, account_units
from scans.landmarks.face_size import evidence_of, face_mesh
from scans.landmarks.records import FaceLandmarks
from scans.predictions import Prediction
from scans.scale import WRONG, CaptureScale, known_scale
from scans.scaling import scaled_camera
from scans.unit_guess import parse_unit, unit_name
from scans.units import has_unit_of, scan_unit

log = logging.getLogger(__name__)

_ODD = 1.3  # factor from which on the size of the head is told


def scan_metres(
    what: str,
    folder: Path | None,
    scan: Scan,
    skin: SkinWeights,
    stated: str | None,
    template: Template,
    found: FaceLandmarks | None,
) -> tuple[float, CaptureScale | None]:
    """Metres per unit of the scan of a capture or of a mesh, and the scale that they follow from. Nothing is written.

    As stated; else as the capture's scale or the prediction's account tells; else measured; else guessed from the
    width, and the scale is None. What is stated is measured, too, where that was not done before.

    Args:
        what: names the scan in messages.
        folder: the capture's; None for a mesh alone.
        scan: in its own unit.
        skin: of its vertices.
        stated: unit, as `parse_unit` takes it.
        template: the head model.
        found: landmarks in the unit of the capture.

    Raises:
        InputError: where the scan has no size of a head, or a file with its unit is damaged.
    """
    kept, account = _kept(folder, scan), _account(skin)
    if stated is not None:
        scale = _stated(what, scan, skin, template, found, parse_unit(stated), kept)
    elif kept is not None:
        scale = kept
    elif account is not None:
        scale = None
    else:
        scale = _measured(what, scan, skin, template, found)
        if scale is None:
            log.warning("%s: nothing tells its scale, which is guessed; state `unit`", what)
        else:
            log.info("scale of %s: %s", what, scale.text)
    known = account if scale is None else scale.metres
    if scale is not None and account is not None and not scale.is_about(account):
        log.warning("%s: its labels were made at %s; make them again by `p2p segment`", what, unit_name(account))
    metres, text = scan_unit(scan, stated, what, known)
    log.info("unit of %s", text)
    return metres, scale


def _kept(folder: Path | None, scan: Scan) -> CaptureScale | None:
    """The scale that a capture tells, if it is that of the scan, too."""
    if folder is None:
        return None
    capture = Capture.read(folder)
    scale = known_scale(capture)
    return scale if scale is not None and has_unit_of(scan, capture.cameras, scale.metres) else None


def _account(skin: SkinWeights) -> float | None:
    """Metres per unit by the account beside the prediction that the weights are of."""
    if skin.path is None or not isinstance(skin.labels, Prediction) or not (skin.path.parent / ACCOUNT).is_file():
        return None
    return account_units(skin.path.parent)[0]


def _stated(
    what: str,
    scan: Scan,
    skin: SkinWeights,
    template: Template,
    found: FaceLandmarks | None,
    metres: float,
    kept: CaptureScale | None,
) -> CaptureScale:
    """A scale as it was stated, with what is measured."""
    if kept is not None and kept.stated and kept.metres == metres:
        return kept
    measured = _measured(what, scan, skin, template, found, metres)
    return CaptureScale(metres, 0.0, True, measured.evidence if measured else ())


def _measured(
    what: str,
    scan: Scan,
    skin: SkinWeights,
    template: Template,
    found: FaceLandmarks | None,
    metres: float | None = None,
) -> CaptureScale | None:
    """The scale by the face in the images and by the head in the scan; None where neither tells it.

    `metres` per unit are tried first where they are stated.
    """
    face = None if found is None else evidence_of(found, face_mesh())
    if face is not None and steady_landmarks(found, what, scan, face.metres) is None:
        face = None  # the scan has another unit than the cameras
    if metres is None and face is not None:
        head = evidence_of_head(template, scan, skin.weights, face.metres, look=False)
    else:
        head = evidence_of_head(template, scan, skin.weights, metres)
    evidence = [each for each in (face, head) if each is not None]
    return CaptureScale.of(evidence) if evidence else None


def keep_scale(folder: Path, done: ScanRegistration) -> None:
    """Keep the scale of a registration in its capture, where the scan has the unit of the cameras."""
    cameras = [scaled_camera(camera, done.metres) for camera in Capture.read(folder).cameras]
    if done.scale is not None and has_unit_of(done.scan, cameras, 1.0):
        done.scale.keep(folder)


def check_size(name: str, template: Template, vertices: NDArray, out: Path) -> None:
    """Warn where the registered head is of an odd size.

    Raises `RefusedError` where it is so large or so small that the unit must be another one.
    """
    ratio = size_ratio(template, vertices)
    if max(ratio, 1 / ratio) < _ODD:
        return
    told = f"{name}: the registered face is {ratio:.2f} times as large as the average: look at {out}"
    if max(ratio, 1 / ratio) >= WRONG:
        raise RefusedError(f"{told}; state the scan's `unit` if it is another one")
    log.warning("%s; a child, or another `unit`?", told)


def size_ratio(template: Template, vertices: NDArray) -> float:
    """Ratio of sizes: how many times as large a registered head's face (V, 3) is as the average one's (Procrustes)."""
    face = template.face_mask
    ours, theirs = (points - points.mean(axis=0) for points in (template.surface(template.mean)[face], vertices[face]))
    return float(np.linalg.svd(ours.T @ theirs, compute_uv=False).sum() / (ours**2).sum())
