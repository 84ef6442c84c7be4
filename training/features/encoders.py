"""Patch tokens of frozen vision transformers: DINOv2, with and without registers, and SAM's image encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import torch
from torch.nn import functional

from training.features.vision_transformer import VisionTransformer

if TYPE_CHECKING:
    from training.features.weights import Encoder, EncoderConfig

_SAM = "sam_vision_model"  # as the transformers library names the type


@dataclass(frozen=True)
class Sizes:
    """Sizes of an encoder, known before its weights are loaded.

    Attributes:
        patch: pixels along the side that a token covers.
        blocks: of the transformer.
        width: channels behind a block.
        output: channels of the encoder's own output, layer 0.
        batch: images at once.
    """

    patch: int
    blocks: int
    width: int
    output: int
    batch: int

    @classmethod
    def of(cls, config: EncoderConfig) -> Self:
        """Of an encoder with this configuration."""
        sam, sizes = config.model_type == _SAM, vars(config)
        output = sizes["output_channels" if sam else "hidden_size"]
        patch = config.patch_size
        side = patch if isinstance(patch, int) else int(patch[0])
        # SAM's attention biases take 0.8 GB an image
        return cls(side, config.num_hidden_layers, config.hidden_size, output, 1 if sam else 4)

    def channels(self, layers: Sequence[int]) -> int:
        """Of a token with these layers."""
        return sum(self.width if layer else self.output for layer in layers)


def token_maps(model: Encoder, pixels: torch.Tensor, layers: Sequence[int]) -> torch.Tensor:
    """Patch tokens behind blocks of the transformer, concatenated.

    Args:
        model: the encoder.
        pixels: (B, 3, H, W) normalised; H and W are multiples of the patch.
        layers: blocks, counted from 1; 0 is the encoder's own output.

    Returns:
        (B, h, w, C). A DINOv2's blocks are taken through its final norm, so that 0 is its last block; a SAM's are taken
        as they are, and 0 is its neck.
    """
    rows = pixels.shape[2] // Sizes.of(model.config).patch
    if isinstance(model, VisionTransformer):
        return torch.cat(model(pixels, layers), dim=-1).unflatten(1, (rows, -1))
    if model.config.model_type == _SAM:
        return _sam_maps(model, pixels, layers)
    library: Any = model
    states = library(pixels, output_hidden_states=True).hidden_states
    extra = 1 + getattr(model.config, "num_register_tokens", 0)
    tokens = [library.layernorm(states[layer or -1])[:, extra:] for layer in layers]
    return torch.cat(tokens, dim=-1).unflatten(1, (rows, -1))


def _sam_maps(model: Any, pixels: torch.Tensor, layers: Sequence[int]) -> torch.Tensor:
    """SAM sees square images of one size; others are padded behind the normalisation, as it does itself, and its
    absolute positions are interpolated to another resolution (it interpolates the relative ones)."""
    encoder, (height, width) = model.vision_encoder, pixels.shape[2:]
    side = max(height, width)
    square = functional.pad(pixels, (0, side - width, 0, side - height))
    state = encoder.patch_embed.projection(square).permute(0, 2, 3, 1)
    if encoder.pos_embed is not None:
        state = state + _resized(encoder.pos_embed, state.shape[1])
    outputs = {}
    for number, block in enumerate(encoder.layers, start=1):
        state = block(state)
        outputs[number] = state
    if 0 in layers:
        outputs[0] = encoder.neck(state).permute(0, 2, 3, 1)
    patch = Sizes.of(model.config).patch
    return torch.cat([outputs[layer] for layer in layers], dim=-1)[:, : height // patch, : width // patch]


def _resized(positions: torch.Tensor, side: int) -> torch.Tensor:
    """(1, side, side, C) of position embeddings (1, s, s, C)."""
    if positions.shape[1] == side:
        return positions
    maps = positions.permute(0, 3, 1, 2)
    maps = functional.interpolate(maps, size=(side, side), mode="bicubic", align_corners=False)
    return maps.permute(0, 2, 3, 1)
