"""The unit of a scan that is registered: stated, known, or measured by the face and the head in it."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capture import Capture, InputError, RefusedError, Scan, read_json
from registration.files.detected import steady_landmarks
from registration.files.inputs import SkinWeights
from registration.head_size import evidence_of_head
from registration.template import Template
from scans.labelled import ACCOUNT
from scans.landmarks.face_size import evidence_of, face_mesh
from scans.landmarks.records import FaceLandmarks
from scans.predictions import Prediction
from scans.scale import WRONG, CaptureScale, known_scale
from scans.unit_guess import parse_unit
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
    """Metres per unit of the scan of a capture or of a mesh, and the scale that they follow from.

    As stated; else as the prediction's account or the capture's scale tells; else measured; else guessed from the
    width, and the scale is None. What is stated is measured, too, where nothing told it before. A scale is kept where
    it is that of a capture.

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
    told, scale = _told(folder, scan, skin), None
    if stated is not None:
        metres = parse_unit(stated)
        if told != metres:
            measured = _measured(what, scan, skin, template, found, metres)
            scale = CaptureScale(metres, 0.0, True, measured.evidence if measured else ())
    elif told is None and (scale := _measured(what, scan, skin, template, found)):
        log.info("scale of %s: %s", what, scale.text)
        told = scale.metres
    if scale and folder is not None and has_unit_of(scan, Capture.read(folder).cameras, scale.metres):
        scale.keep(folder)
    metres, text = scan_unit(scan, stated, what, told)
    log.info("unit of %s", text)
    return metres, scale or _kept(folder, metres)


def _kept(folder: Path | None, metres: float) -> CaptureScale | None:
    """The scale that is kept in a capture, if it is this."""
    kept = None if folder is None else CaptureScale.read(folder)
    return kept if kept is not None and kept.metres == metres else None


def _told(folder: Path | None, scan: Scan, skin: SkinWeights) -> float | None:
    """Metres per unit by the account beside the prediction that the weights are of, or by the capture."""
    account = None if skin.path is None or not isinstance(skin.labels, Prediction) else skin.path.parent / ACCOUNT
    if account is not None and account.is_file():
        try:
            return float(read_json(account, "account of the prediction")["metres_per_unit"]["scan"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"damaged: {account} ({error}); run `p2p segment` again, or state `unit`") from None
    if folder is None:
        return None
    capture = Capture.read(folder)
    scale = known_scale(capture)
    return None if scale is None or not has_unit_of(scan, capture.cameras, scale.metres) else scale.metres


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
    evidence = [] if found is None else [evidence_of(found, face_mesh())]
    if found is not None and steady_landmarks(found, what, scan, evidence[0].metres) is None:
        evidence = []  # the scan has another unit than the cameras
    start = evidence[0].metres if evidence and metres is None else metres
    head = evidence_of_head(template, scan, skin.weights, start)
    evidence += [head] if head else []
    return CaptureScale.of(evidence) if evidence else None


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
