"""View of a registration: `view.html`, with the scan, the template on it and the cameras."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from capture import InputError, Labels
from registration.files.outputs import ScanRegistration
from registration.files.picture import SurfaceDistance
from scans.head_sample import HeadSample
from scans.scaling import scaled_camera
from scans.viewer.cameras import viewed_cameras
from scans.viewer.view import View, ViewedCamera, ViewedScan, ViewedTemplate

log = logging.getLogger(__name__)


def registration_view(
    done: ScanRegistration, distance: SurfaceDistance, summary: dict[str, Any], capture: Path | None
) -> View:
    """The view of a registration; `capture` is the folder of the scan's capture, None for a mesh alone."""
    rotation = done.registration.head.rotation
    fit = summary["fit"]
    return View(
        done.name,
        _viewed_scan(done),
        ViewedTemplate(done.mesh(), distance.distance_mm, done.template.face_mask, distance.surface),
        () if capture is None else _cameras(done, capture),
        (
            f"{len(done.scan.vertices):,} vertices, {done.skin_weights.source.split(' in ')[0]}",
            f"face to the scan's skin: {fit['median']:.2f} mm in the median, 90 % within {fit['p90']:.2f} mm",
        ),
        up=rotation @ np.array([0.0, 0.0, 1.0]),
        front=rotation @ np.array([0.0, -1.0, 0.0]),
    )


def _viewed_scan(done: ScanRegistration) -> ViewedScan:
    labels = done.skin_weights.labels
    if isinstance(labels, Labels):
        return ViewedScan.of_labels(done.scan, labels)
    return ViewedScan(done.scan, labels)


def _cameras(done: ScanRegistration, capture: Path) -> Sequence[ViewedCamera]:
    """The capture's cameras; none, with a line, where an image is not what it should be, as registering needs none."""
    try:
        head = HeadSample.from_capture(capture, done.scan)
        unit = done.camera_metres(head.cameras, known=head.metres_per_unit)
        return viewed_cameras(replace(head, cameras=tuple(scaled_camera(camera, unit) for camera in head.cameras)))
    except (InputError, OSError) as error:
        log.info("%s: view.html shows no cameras: %s", done.name, error)
        return ()
