"""View of a prediction that is there."""

from __future__ import annotations

from dataclasses import replace

from scans.head_sample import HeadSample
from scans.labelled import Labelled
from scans.prediction_view import prediction_view
from scans.scaling import scaled, scaled_camera
from scans.viewer.view import View


def labelled_view(labelled: Labelled) -> View:
    """The labelled scan with its cameras, in metres."""
    given = HeadSample.from_capture(labelled.capture, labelled.scan)
    cameras = tuple(scaled_camera(camera, labelled.camera_unit) for camera in given.cameras)
    head = replace(given, scan=scaled(labelled.scan, labelled.scan_unit), cameras=cameras)
    return prediction_view(labelled.prediction, head, labelled.facts)
