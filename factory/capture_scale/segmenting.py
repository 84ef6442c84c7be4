"""Segmenting a capture at its scale: known or measured before, and checked by what comes of it."""

from __future__ import annotations

import logging
from pathlib import Path

from capture import Capture
from factory.capture_scale.measure import scale_of, with_head
from scans.head_sample import HeadSample
from scans.labelled import Labelled
from scans.meshes.reading import read_scan
from scans.predictions import Prediction
from scans.scale import CaptureScale, check_scale, known_scale
from training.checkpoints.labeller import labeller_of
from training.inference import segment_head
from training.options import SegmentOptions
from training.segment import segment_capture

log = logging.getLogger(__name__)

_VERTICES = 12_000  # of a first pass, which only tells where the skin is


def first_pass(checkpoint: Path, head: HeadSample) -> Prediction:
    """A quick prediction for a head in metres."""
    return segment_head(head, labeller_of(checkpoint), _VERTICES)


def segment_to_scale(
    folder: Path,
    checkpoint: Path,
    scan_path: Path | None,
    options: SegmentOptions,
    *,
    need_parts: bool = False,
    view: bool = True,
    out: Path | None = None,
) -> Prediction:
    """Label the scan of a capture as `segment_capture` does, at the scale that is known, or else measured.

    The scale is kept in the capture, with the size of the head that the labels show.

    Raises:
        InputError: as `segment_capture` does.
        RefusedError: where the head is half as large again as people's, or more, or two thirds of it; all is written.
    """
    capture = Capture.read(folder)
    stated = options.unit is not None or options.camera_unit is not None
    scale = None if stated else _scale(capture, checkpoint, scan_path)
    prediction = segment_capture(folder, checkpoint, scan_path, options, need_parts=need_parts, view=view, out=out)
    labelled = Labelled.read(folder, scan_path, out)
    if stated:
        scale = CaptureScale(labelled.camera_unit, 0.0, stated=True)
    elif capture.info.seed is not None:
        return prediction  # our own render
    if scale is None or labelled.scan_unit != labelled.camera_unit:
        return prediction  # nothing to compare, or not the scan of these images
    scale = with_head(scale, labelled.scan, prediction.probability)
    scale.keep(folder)
    check_scale(str(folder), scale)
    return prediction


def _scale(capture: Capture, checkpoint: Path, scan_path: Path | None) -> CaptureScale | None:
    """The scale, kept where it is measured."""
    if known := known_scale(capture):
        return known
    scan = None if scan_path is None else read_scan(scan_path)
    scale = scale_of(capture, lambda head: first_pass(checkpoint, head), scan)
    if scale is None:
        log.warning(
            "%s: nothing tells its scale, which is guessed; state `unit`, or set it by `p2p scale`", capture.folder
        )
    else:
        log.info("scale of %s: %s", capture.folder, scale.text)
        scale.keep(capture.folder)
    return scale
