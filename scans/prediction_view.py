"""View of a prediction: `prediction/view.html`."""

from __future__ import annotations

from collections.abc import Sequence

from scans.head_sample import HeadSample
from scans.predictions import Prediction
from scans.viewer.cameras import viewed_cameras
from scans.viewer.view import View, ViewedScan


def prediction_view(prediction: Prediction, head: HeadSample, facts: Sequence[str] = ()) -> View:
    """The scan of a head in metres with its prediction and its cameras."""
    counts = f"{len(head.scan.vertices):,} vertices, {len(head.cameras)} views"
    return View(head.id, ViewedScan(head.scan, prediction), cameras=viewed_cameras(head), facts=[counts, *facts])
