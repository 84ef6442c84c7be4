"""Predictions of a trained labeller for one head: what `p2p segment` and `p2p evaluate` share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from scans.head_sample import HeadSample
from scans.meshes.reading import scan_key
from scans.meshes.repair import Repair, repair
from scans.predictions import UNKNOWN, Prediction
from training.data.batch import to_batch, to_corners
from training.device import DeviceRunner
from training.model.network import LabellerNetwork
from training.model.outputs import Outputs
from training.preparation.prepare import prepare_head
from training.preparation.prepared import PreparedHead


def segment_head(
    head: HeadSample, labeller: LabellerNetwork, vertices: int | None = None, cache: Path | None = None
) -> Prediction:
    """Label all vertices of a head's scan.

    Args:
        head: images, cameras and scan in metres; labels are not needed.
        labeller: runs on the GPU where there is one.
        vertices: the network works on at most so many; its output is interpolated at the others. As in training where
            None.
        cache: folder for what is prepared; nothing is kept where None.

    Raises:
        InputError: where an image or the scan is unusable, or there are no backbone weights.
    """
    key, preparation = scan_key(head.scan), labeller.preparation
    assert preparation is not None
    if vertices is not None:
        preparation = replace(preparation, vertices=vertices)
    repaired = repair(head.scan)
    if repaired.index is not None:
        head = replace(head, scan=repaired.scan, labels=None)
    prepared = prepare_head(head, preparation, cache)
    outputs = predict(labeller, prepared)
    if len(prepared.mesh.source) < len(head.scan.vertices):
        with torch.inference_mode():
            outputs = outputs.interpolate(*to_corners(prepared.mesh.interpolation(head.scan.vertices)))
    return _at_all_vertices(outputs.to_prediction(key), repaired)


def _at_all_vertices(prediction: Prediction, repaired: Repair) -> Prediction:
    """The prediction at the vertices of the scan as it was given; what isn't part of its surface is no skin."""
    if repaired.index is None:
        return prediction
    missing = {"probability": 0.0, "skin": False, "distance_mm": np.nan, "part": UNKNOWN, "part_probability": 0.0}
    missing |= {"visible_skin": False, "visible_probability": 0.0, "distance_spread_mm": np.nan, "uncertain": True}
    spread: dict[str, Any] = {}
    for name, value in missing.items():
        column = getattr(prediction, name)
        spread[name] = None if column is None else repaired.spread(column, value)
    return replace(prediction, **spread)


def predict(labeller: LabellerNetwork, prepared: PreparedHead) -> Outputs:
    """The labeller's calibrated outputs at the vertices of the simplified scan, on the CPU."""
    batch = to_batch(prepared)

    def forward(device: torch.device) -> Outputs:
        with torch.inference_mode():
            outputs: Outputs = labeller(batch.to(device))
        return labeller.calibration.apply(outputs.to("cpu"))

    return DeviceRunner(labeller, "labeller").run(forward)
