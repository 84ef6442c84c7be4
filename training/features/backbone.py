"""Token maps of images from a frozen vision transformer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import Dinov2Model

from capture import InputError, atomic_path
from training.features.config import PATCH, BackboneConfig
from training.features.dinov2_weights import backbone_width, load_backbone, weights_key
from training.images import decode_image, resize_image

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)  # of ImageNet: what the encoder was trained with
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
_BATCH = 4

Tokens = NDArray[np.float16]


class Backbone:
    """A frozen DINOv2, loaded when it is first asked for tokens."""

    def __init__(self, config: BackboneConfig) -> None:
        self.config = config

    @property
    def channels(self) -> int:
        """Channels of a token: all layers asked for, one behind the other."""
        return backbone_width(self.config.source) * len(self.config.layers)

    @cached_property
    def key(self) -> str:
        """Name of everything that the tokens of an image depend on."""
        layers = "_".join(map(str, self.config.layers))
        return f"{weights_key(self.config.source)}-{layers}-{self.config.resolution}"

    @cached_property
    def model(self) -> Dinov2Model:
        """The network. Raises `InputError` where there are no weights, or fewer blocks than asked for."""
        model = load_backbone(self.config.source)
        if max(self.config.layers) > model.config.num_hidden_layers:
            raise InputError(
                f"backbone.layers asks for block {max(self.config.layers)}; "
                f"{self.config.source} has {model.config.num_hidden_layers}"
            )
        return model

    def grid(self, width: int, height: int) -> tuple[int, int]:
        """Rows and columns of tokens for an image of this size: the longer side takes the resolution."""
        scale = self.config.resolution / max(width, height) / PATCH
        return max(1, round(height * scale)), max(1, round(width * scale))

    def tokens(self, images: Sequence[NDArray[np.uint8]]) -> list[Tokens]:
        """Token maps (h, w, C) in half precision of images (H, W, 3)."""
        grids = [self.grid(image.shape[1], image.shape[0]) for image in images]
        result: list[Tokens] = []
        for first in range(0, len(images), _BATCH):
            part = range(first, min(first + _BATCH, len(images)))
            if len({grids[i] for i in part}) == 1:
                result += self._forward([images[i] for i in part], grids[first])
            else:
                result += [tokens for i in part for tokens in self._forward([images[i]], grids[i])]
        return result

    def _forward(self, images: Sequence[NDArray[np.uint8]], grid: tuple[int, int]) -> list[Tokens]:
        rows, columns = grid
        resized = np.stack([resize_image(image, columns * PATCH, rows * PATCH) for image in images])
        pixels = (resized.astype(np.float32) / 255 - _MEAN) / _DEVIATION
        with torch.inference_mode():
            maps = block_outputs(self.model, torch.from_numpy(pixels).permute(0, 3, 1, 2), self.config.layers)
        return list(maps.reshape(len(images), rows, columns, -1).numpy().astype(np.float16))


def block_outputs(model: Dinov2Model, pixels: torch.Tensor, layers: Sequence[int]) -> torch.Tensor:
    """(B, tokens, C) patch tokens behind the given blocks, each through the final norm, concatenated."""
    states = model(pixels, output_hidden_states=True).hidden_states
    return torch.cat([model.layernorm(states[layer])[:, 1:] for layer in layers], dim=-1)


def cached_tokens(
    backbone: Backbone, images: Sequence[bytes], names: Sequence[str], folder: Path | None
) -> list[Tokens]:
    """Token maps of encoded images, from the cache where they are there.

    Args:
        backbone: the network.
        images: N image files' bytes.
        names: what errors call them.
        folder: the cache, a file an image, named by weights and image content; None computes all and keeps nothing.
    """
    if folder is None:
        return backbone.tokens([decode_image(data, name) for data, name in zip(images, names, strict=True)])
    paths = [token_path(backbone, data, folder) for data in images]
    missing = [i for i, path in enumerate(paths) if not path.is_file()]
    made = backbone.tokens([decode_image(images[i], names[i]) for i in missing])
    for i, tokens in zip(missing, made, strict=True):
        with atomic_path(paths[i]) as temporary:
            np.save(temporary, tokens, allow_pickle=False)
    return [read_array(path) for path in paths]


def token_path(backbone: Backbone, image: bytes, folder: Path) -> Path:
    """Where the tokens of an encoded image are kept."""
    digest = hashlib.blake2b(image, digest_size=12).hexdigest()
    return Path(folder) / "tokens" / backbone.key / f"{digest}.npy"


def read_array(path: Path) -> NDArray:
    """A cached array, memory-mapped. Raises `InputError` where it is damaged."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"damaged cache file: {path} ({error}); remove it and run again") from None
