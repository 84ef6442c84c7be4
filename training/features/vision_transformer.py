"""The encoder of DINOv2 (Oquab et al. 2023) for prediction alone, in PyTorch alone.

Importing the transformers library takes longer than the tokens of an image, so the weights that come as plain arrays
run here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

_EPSILON = 1e-6  # of the norms, as DINOv2 was trained


@dataclass(frozen=True)
class VisionTransformerConfig:
    """Sizes of the encoder; the names are those of the transformers library."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    patch_size: int
    model_type: str = "dinov2"


class _Block(nn.Module):
    """Attention and MLP, each behind a norm, scaled channel by channel and added to its input.

    Queries, keys and values are one matrix, and the scales are part of the matrices before them.
    """

    def __init__(self, heads: int, state: Mapping[str, torch.Tensor]) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = _norm(state["norm1.weight"], state["norm1.bias"])
        self.norm2 = _norm(state["norm2.weight"], state["norm2.bias"])
        three = [f"attention.{name}_proj" for name in "qkv"]
        self.attention_in = _linear(*(torch.cat([state[f"{name}.{end}"] for name in three]) for end in _ENDS))
        self.attention_out = _scaled_linear(state, "attention.o_proj", "layer_scale1.lambda1")
        self.mlp_in = _linear(*(state[f"mlp.fc1.{end}"] for end in _ENDS))
        self.mlp_out = _scaled_linear(state, "mlp.fc2", "layer_scale2.lambda1")

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, T, C)."""
        three = self.attention_in(self.norm1(tokens)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(three[0], three[1], three[2])
        tokens = tokens + self.attention_out(mixed.transpose(1, 2).flatten(2))
        return tokens + self.mlp_out(functional.gelu(self.mlp_in(self.norm2(tokens))))


class VisionTransformer(nn.Module):
    """A frozen DINOv2 without registers and gated MLPs, as its sizes S, B and L are.

    Args:
        config: its sizes.
        state: weights by the names of `transformers.Dinov2Model`.

    Raises:
        KeyError: where a weight is missing.
        RuntimeError: where one has another shape.
    """

    def __init__(self, config: VisionTransformerConfig, state: Mapping[str, torch.Tensor]) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("class_token", state["embeddings.cls_token"])
        self.register_buffer("positions", state["embeddings.position_embeddings"])
        patch = "embeddings.patch_embeddings.projection"
        self.register_buffer("patch_weight", state[f"{patch}.weight"])
        self.register_buffer("patch_bias", state[f"{patch}.bias"])
        blocks = []
        for number in range(config.num_hidden_layers):
            start = f"encoder.layer.{number}."
            part = {name.removeprefix(start): value for name, value in state.items() if name.startswith(start)}
            blocks.append(_Block(config.num_attention_heads, part))
        self.blocks = nn.ModuleList(blocks)
        self.norm = _norm(state["layernorm.weight"], state["layernorm.bias"])
        self.requires_grad_(False)

    class_token: torch.Tensor
    positions: torch.Tensor
    patch_weight: torch.Tensor
    patch_bias: torch.Tensor

    def forward(self, pixels: torch.Tensor, layers: Sequence[int]) -> list[torch.Tensor]:
        """Patch tokens (B, h · w, C) behind blocks, counted from 1, through the final norm; 0 is the last block.

        Args:
            pixels: (B, 3, H, W) normalised; H and W are multiples of the patch.
            layers: blocks.
        """
        tokens = self.embedded(pixels)
        wanted = {layer or len(self.blocks) for layer in layers}
        outputs = {}
        for number, block in enumerate(self.blocks[: max(wanted)], start=1):
            tokens = block(tokens)
            if number in wanted:
                outputs[number] = self.norm(tokens[:, 1:])
        return [outputs[layer or len(self.blocks)] for layer in layers]

    def embedded(self, pixels: torch.Tensor) -> torch.Tensor:
        """(B, 1 + h · w, C) the class token and the patches, with their positions."""
        patches = functional.conv2d(pixels, self.patch_weight, self.patch_bias, stride=self.config.patch_size)
        first, others = self.positions[:, :1], self.positions[:, 1:]
        tokens = patches.flatten(2).transpose(1, 2) + _resized(others, *patches.shape[2:])
        return torch.cat([(self.class_token + first).expand(len(pixels), -1, -1), tokens], dim=1)


_ENDS = ("weight", "bias")


def _resized(positions: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Positions (1, s · s, C) of a square for another one (1, height · width, C), bicubic as in training."""
    side = round(positions.shape[1] ** 0.5)
    if (height, width) == (side, side):
        return positions
    square = positions.unflatten(1, (side, side)).permute(0, 3, 1, 2)
    other = functional.interpolate(square, size=(height, width), mode="bicubic", align_corners=False)
    return other.flatten(2).transpose(1, 2)


def _linear(weight: torch.Tensor, bias: torch.Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    layer.load_state_dict({"weight": weight, "bias": bias}, assign=True)
    return layer


def _scaled_linear(state: Mapping[str, torch.Tensor], name: str, scale: str) -> nn.Linear:
    factors = state[scale]
    return _linear(state[f"{name}.weight"] * factors[:, None], state[f"{name}.bias"] * factors)


def _norm(weight: torch.Tensor, bias: torch.Tensor) -> nn.LayerNorm:
    layer = nn.LayerNorm(len(weight), eps=_EPSILON, device="meta")
    layer.load_state_dict({"weight": weight, "bias": bias}, assign=True)
    return layer
