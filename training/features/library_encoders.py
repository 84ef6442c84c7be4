"""Frozen image encoders that the transformers library reads: DINOv2 and SAM, in a local folder or on the hub."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pickle import UnpicklingError
from typing import Any, TypeAlias

from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    Dinov2Config,
    Dinov2Model,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    SamConfig,
    SamVisionConfig,
    SamVisionModel,
)
from transformers.utils import logging as transformers_logging

from capture import InputError
from training.features.img_focus import WAYS

LibraryEncoder: TypeAlias = Dinov2Model | Dinov2WithRegistersModel | SamVisionModel
LibraryConfig: TypeAlias = Dinov2Config | Dinov2WithRegistersConfig | SamVisionConfig

_MODELS: dict[type, Any] = {
    Dinov2Config: Dinov2Model,
    Dinov2WithRegistersConfig: Dinov2WithRegistersModel,
    SamVisionConfig: SamVisionModel,
}
_FAILURES = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    RuntimeError,
    SafetensorError,
    StrictDataclassError,
    UnpicklingError,
)


def load_library_encoder(source: str) -> LibraryEncoder:
    """The frozen encoder. Raises `InputError` that names the ways to get weights where there are none."""
    config = library_config(source)
    try:
        with _quiet():
            loaded, report = _MODELS[type(config)].from_pretrained(
                source, config=config, output_loading_info=True, weights_only=True
            )
    except _FAILURES as error:
        raise InputError(f"no backbone weights at {source} ({_brief(error)}); {WAYS}") from None
    missing = [key for key in report["missing_keys"] if "mask_token" not in key]
    if missing:
        raise InputError(f"{source} lacks the weights {missing[0]} and {len(missing) - 1} others; {WAYS}")
    encoder: LibraryEncoder = loaded.eval().requires_grad_(False)
    return encoder


def library_config(source: str) -> LibraryConfig:
    """The encoder's sizes, without its weights. Raises `InputError` where there is none, or of another kind."""
    try:
        with _quiet():
            config = AutoConfig.from_pretrained(source, trust_remote_code=False)  # no code from a model's folder
    except _FAILURES as error:
        raise InputError(f"no backbone weights at {source} ({_brief(error)}); {WAYS}") from None
    if isinstance(config, SamConfig):
        vision: Any = config.vision_config
        vision._commit_hash = getattr(config, "_commit_hash", None)
        config = vision
    if not isinstance(config, LibraryConfig):
        raise InputError(f"{source} holds a {config.model_type} model, neither DINOv2 nor SAM; {WAYS}")
    return config


@contextmanager
def _quiet() -> Iterator[None]:
    """The library's advice is kept back: what matters is raised."""
    level = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():  # about odd pickles: they are refused all the same
            warnings.simplefilter("ignore", UserWarning)
            yield
    finally:
        transformers_logging.set_verbosity(level)


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
