"""Predictions of a trained labeller for one head: what `p2p segment` and `p2p evaluate` share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from scans.head_sample import HeadSample
from scans.meshes import scan_key
from scans.predictions import Prediction
from training.data.batch import to_batch, to_corners
from training.device import DeviceRunner
from training.model.module import SkinLabeller
from training.model.outputs import Outputs
from training.preparation.prepare import prepare_head
from training.preparation.prepared import PreparedHead


def segment_head(
    head: HeadSample, labeller: SkinLabeller, vertices: int | None = None, cache: Path | None = None
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
    preparation = labeller.preparation
    assert preparation is not None
    if vertices is not None:
        preparation = replace(preparation, vertices=vertices)
    prepared = prepare_head(head, preparation, cache)
    outputs = predict(labeller, prepared)
    with torch.inference_mode():
        outputs = outputs.interpolate(*to_corners(prepared.mesh.interpolation(head.scan.vertices)))
    return outputs.to_prediction(scan_key(head.scan))


def predict(labeller: SkinLabeller, prepared: PreparedHead) -> Outputs:
    """The labeller's outputs at the vertices of the simplified scan, on the CPU."""
    batch = to_batch(prepared)

    def forward(device: torch.device) -> Outputs:
        with torch.inference_mode():
            outputs: Outputs = labeller(batch.to(device))
        return outputs.to("cpu")

    return DeviceRunner(labeller, "labeller").run(forward)
