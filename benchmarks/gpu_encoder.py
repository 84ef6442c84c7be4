"""The image encoder as `benchmarks/gpu.py` takes it along: without ONNX, and a quarter of the size."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from capture import write_json
from training.features.backbone import Backbone
from training.features.backbone_config import BackboneConfig
from training.features.vision_transformer import VisionTransformer, VisionTransformerConfig

WEIGHTS, CONFIG = "encoder.npz", "encoder.json"
STEPS = 127  # of a weight's rounding, to either side of zero


def write_encoder(folder: Path, config: VisionTransformerConfig, state: dict[str, torch.Tensor]) -> None:
    """Write the encoder with its matrices rounded to 8 bits, each row by its own scale: a quarter of the size.

    Both processors run the rounded ones, so they can be compared; the sizes, and with them time and memory, are those
    of the encoder, and so are the magnitudes inside of it.
    """
    arrays: dict[str, NDArray] = {}
    for name, value in state.items():
        array = value.numpy()
        if name.endswith("weight") and array.ndim > 1:
            rows = array.reshape(len(array), -1)
            scale = np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-12) / STEPS
            arrays[f"{name}:scale"] = scale.astype(np.float32)
            arrays[name] = np.rint(rows / scale).astype(np.int8).reshape(array.shape)
        else:
            arrays[name] = array
    np.savez_compressed(folder / WEIGHTS, **arrays)
    write_json(folder / CONFIG, asdict(config))


def read_backbone(folder: Path, resolution: int) -> Backbone:
    """The default backbone with the stored weights, at a resolution of its own choice."""
    config = VisionTransformerConfig(**json.loads((folder / CONFIG).read_text()))
    state = {}
    with np.load(folder / WEIGHTS) as arrays:
        for name in arrays.files:
            if name.endswith(":scale"):
                continue
            value = arrays[name]
            if f"{name}:scale" in arrays:
                rows = value.reshape(len(value), -1) * arrays[f"{name}:scale"]
                value = rows.reshape(value.shape)
            state[name] = torch.from_numpy(np.ascontiguousarray(value, np.float32))
    backbone = Backbone(BackboneConfig(resolution=resolution))
    backbone.model = VisionTransformer(config, state).eval()
    return backbone
