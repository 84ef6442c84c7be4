"""Segmenting a capture at its scale: known or measured before, and checked by what comes of it."""

from __future__ import annotations

from pathlib import Path

from capture import Capture
from factory.capture_scale.measure import scale_of, with_head
from scans.head_sample import HeadSample
from scans.labelled import FOLDER, account_units
from scans.meshes.reading import read_scan
from scans.predictions import Prediction
from scans.scale import CaptureScale, known_scale
from training.checkpoints.labeller import labeller_of
from training.inference import segment_head
from training.model.network import LabellerNetwork
from training.options import SegmentOptions
from training.segment import segment_capture

_VERTICES = 12_000  # of a first pass, which only tells where the skin is


def first_pass(labeller: LabellerNetwork, head: HeadSample) -> Prediction:
    """A quick prediction for a head in metres."""
    return segment_head(head, labeller, _VERTICES)


def segment_to_scale(
    folder: Path,
    checkpoint: Path,
    scan_path: Path | None,
    options: SegmentOptions,
    *,
    need_parts: bool = False,
    view: bool = True,
    out: Path | None = None,
) -> tuple[Prediction, CaptureScale | None]:
    """Label the scan of a capture as `segment_capture` does, at the scale that is known, or else measured.

    The scale is kept in the capture, with the size of the head that the labels show.

    Returns:
        The prediction, and the scale, which `check_scale` judges; None where there is nothing to judge.

    Raises:
        InputError: as `segment_capture` does.
    """
    capture = Capture.read(folder)
    stated = options.unit is not None or options.camera_unit is not None
    scale = None if stated else _scale(capture, checkpoint, scan_path)
    prediction = segment_capture(folder, checkpoint, scan_path, options, need_parts=need_parts, view=view, out=out)
    scan_metres, metres = account_units(out or Path(folder) / FOLDER)
    if stated:
        scale = _stated(metres, known_scale(capture))
    elif capture.info.seed is not None:
        return prediction, scale  # our own render
    if scale is None or scan_metres != metres:
        return prediction, None  # nothing to compare, or not the scan of these images
    scale = with_head(scale, read_scan(scan_path or capture.scan_path), prediction.probability)
    scale.keep(folder)
    return prediction, scale


def _stated(metres: float, kept: CaptureScale | None) -> CaptureScale:
    """The scale of stated units, with what was measured where they were stated before."""
    if kept is not None and kept.stated and kept.metres == metres:
        return kept
    return CaptureScale(metres, 0.0, stated=True)


def _scale(capture: Capture, checkpoint: Path, scan_path: Path | None) -> CaptureScale | None:
    """The scale, kept where it is measured."""
    if known := known_scale(capture):
        return known
    scan = None if scan_path is None else read_scan(scan_path)
    scale = scale_of(capture, lambda head: first_pass(labeller_of(checkpoint), head), scan)
    if scale is not None:
        scale.keep(capture.folder)
    return scale
