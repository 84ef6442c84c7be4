"""DiffusionNet, and the per-vertex MLP that it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, get_args

import torch
from torch import nn
from torch.nn import functional

from training.diffusion_net.layers import DiffusionBlock, MiniMLP
from training.diffusion_net.surface import Surface

OutputsAt = Literal["vertices", "edges", "faces", "global_mean"]


class DiffusionNet(nn.Module):
    """Channels at vertices in, channels at vertices, edges, faces or one mean out.

    Args:
        inputs: channels per vertex.
        outputs: channels of the result, before any softmax.
        width: channels inside.
        blocks: number of diffusion blocks.
        hidden: widths of the hidden layers of each block's MLP; `(width, width)` where None.
        dropout: probability inside the MLPs.
        outputs_at: where the result lives.
        gradients: use gradient features.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int = 128,
        blocks: int = 4,
        hidden: Sequence[int] | None = None,
        dropout: float = 0.5,
        outputs_at: OutputsAt = "vertices",
        gradients: bool = True,
    ) -> None:
        super().__init__()
        if outputs_at not in get_args(OutputsAt):
            raise ValueError(f"outputs_at is {outputs_at!r}; use one of {', '.join(get_args(OutputsAt))}")
        self.outputs_at = outputs_at
        self.first_lin = nn.Linear(inputs, width)
        self.last_lin = nn.Linear(width, outputs)
        self.block_names = [f"block_{i}" for i in range(blocks)]
        for name in self.block_names:
            self.add_module(name, DiffusionBlock(width, hidden or (width, width), dropout, gradients))

    def forward(self, features: torch.Tensor | Iterable[torch.Tensor], surface: Surface) -> torch.Tensor:
        """Features (V, inputs) -> (V | E | F, outputs), or (outputs,) for the mean over the surface.

        The features may be given as parts of the vertices in turn, each of which is needed for the first layer only.
        """
        kind = surface.mass.device.type
        mixed = torch.is_autocast_enabled(kind) and not surface.gradient_x.is_sparse
        dtype = torch.get_autocast_dtype(kind) if mixed else self.first_lin.weight.dtype
        surface = surface.in_precision(dtype)
        with torch.autocast(kind, enabled=False):  # the layers say themselves what is in which precision
            first, last = ([p.to(dtype) for p in layer.parameters()] for layer in (self.first_lin, self.last_lin))
            signal = _by_parts(features, lambda part: functional.linear(part.to(dtype), *first))
            for name in self.block_names:
                signal = self.get_submodule(name)(signal, surface)
            scores = functional.linear(signal, *last)
            return self._gather(scores.to(torch.promote_types(dtype, torch.float32)), surface)

    def _gather(self, signal: torch.Tensor, surface: Surface) -> torch.Tensor:
        if self.outputs_at == "vertices":
            return signal
        if self.outputs_at == "global_mean":
            return (signal * surface.mass[:, None]).sum(0) / surface.mass.sum()
        corners = surface.faces if self.outputs_at == "faces" else surface.edges
        if corners is None:
            raise ValueError(f"outputs at {self.outputs_at} need the surface's {self.outputs_at}")
        return signal[corners].mean(dim=1)


class VertexMLP(nn.Module):
    """The ablation without a surface: the same MLP at each vertex by itself."""

    def __init__(self, inputs: int, outputs: int, width: int = 128, layers: int = 4, dropout: float = 0.5) -> None:
        super().__init__()
        self.mlp = MiniMLP([inputs, *[width] * layers, outputs], dropout)

    def forward(self, features: torch.Tensor | Iterable[torch.Tensor], surface: Surface) -> torch.Tensor:
        """Features (V, inputs), or parts of them in turn -> (V, outputs); `surface` gives the device alone."""
        kind = surface.mass.device.type
        weights = next(self.parameters())
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weights.dtype
        with torch.autocast(kind, enabled=False):
            output = _by_parts(features, lambda part: self.mlp(part.to(dtype)))
        return output.to(torch.promote_types(dtype, torch.float32))


def _by_parts(
    features: torch.Tensor | Iterable[torch.Tensor], layers: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """The result of layers that take each vertex by itself."""
    if isinstance(features, torch.Tensor):
        return layers(features)
    results = list(map(layers, features))
    return results[0] if len(results) == 1 else torch.cat(results)
