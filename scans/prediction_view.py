"""View of a prediction: `prediction/view.html`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from scans.head_sample import HeadSample
from scans.labelled import Labelled
from scans.predictions import Prediction
from scans.units import scaled, scaled_camera
from scans.viewer.cameras import viewed_cameras
from scans.viewer.view import View, ViewedScan


def prediction_view(prediction: Prediction, head: HeadSample, facts: Sequence[str] = ()) -> View:
    """The scan of a head in metres with its prediction and its cameras."""
    counts = f"{len(head.scan.vertices):,} vertices, {len(head.cameras)} views"
    return View(head.id, ViewedScan(head.scan, prediction), cameras=viewed_cameras(head), facts=[counts, *facts])


def labelled_view(labelled: Labelled) -> View:
    """The same of a prediction that is there."""
    given = HeadSample.from_capture(labelled.capture, labelled.scan)
    cameras = tuple(scaled_camera(camera, labelled.camera_unit) for camera in given.cameras)
    head = replace(given, scan=scaled(given.scan, labelled.scan_unit), cameras=cameras)
    return prediction_view(labelled.prediction, head)
