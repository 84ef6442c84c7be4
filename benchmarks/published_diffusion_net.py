"""DiffusionNet as its paper states it, written plainly: what `benchmarks/diffusion_net.py` compares ours with.

Sharp et al., "DiffusionNet" (2022): Section 3.2 for spectral diffusion, 3.3 for gradients as sparse matrices applied to
every channel of the diffused signal and for the features made of them, 3.4 for the block. Parameters are named as in
the authors' release, so that both networks can hold the same weights.
"""

from __future__ import annotations

import torch
from torch import nn


class Diffusion(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.diffusion_time = nn.Parameter(torch.zeros(width))

    def forward(self, x: torch.Tensor, mass: torch.Tensor, values: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            self.diffusion_time.data = torch.clamp(self.diffusion_time, min=1e-8)
        spectrum = vectors.transpose(-2, -1) @ (x * mass.unsqueeze(-1))
        decay = torch.exp(-values.unsqueeze(-1) * self.diffusion_time.unsqueeze(0))
        return vectors @ (decay * spectrum)


class GradientFeatures(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.A_re = nn.Linear(width, width, bias=False)
        self.A_im = nn.Linear(width, width, bias=False)

    def forward(self, gradient: torch.Tensor) -> torch.Tensor:
        """(V, C, 2) -> (V, C)."""
        real = self.A_re(gradient[..., 0]) - self.A_im(gradient[..., 1])
        imaginary = self.A_re(gradient[..., 1]) + self.A_im(gradient[..., 0])
        return torch.tanh(gradient[..., 0] * real + gradient[..., 1] * imaginary)


class Mlp(nn.Sequential):
    def __init__(self, sizes: list[int], dropout: float) -> None:
        super().__init__()
        for i in range(len(sizes) - 1):
            if dropout and i:
                self.add_module(f"miniMLP_mlp_layer_dropout_{i:03d}", nn.Dropout(dropout))
            self.add_module(f"miniMLP_mlp_layer_{i:03d}", nn.Linear(sizes[i], sizes[i + 1]))
            if i < len(sizes) - 2:
                self.add_module(f"miniMLP_mlp_act_{i:03d}", nn.ReLU())


class Block(nn.Module):
    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.diffusion = Diffusion(width)
        self.gradient_features = GradientFeatures(width)
        self.mlp = Mlp([3 * width, width, width, width], dropout)

    def forward(self, x: torch.Tensor, operators: tuple[torch.Tensor, ...]) -> torch.Tensor:
        mass, values, vectors, gradient_x, gradient_y = operators
        diffused = self.diffusion(x, mass, values, vectors)
        gradient = torch.stack([torch.mm(gradient_x, diffused), torch.mm(gradient_y, diffused)], dim=-1)
        features = self.gradient_features(gradient)
        output: torch.Tensor = self.mlp(torch.cat([x, diffused, features], dim=-1)) + x
        return output


class PublishedDiffusionNet(nn.Module):
    """Features (V, inputs) -> (V, outputs), for operators (mass, eigenvalues, eigenvectors, sparse gradients x, y)."""

    def __init__(self, inputs: int, outputs: int, width: int = 128, blocks: int = 4, dropout: float = 0.5) -> None:
        super().__init__()
        self.first_lin = nn.Linear(inputs, width)
        self.last_lin = nn.Linear(width, outputs)
        self.blocks = blocks
        for i in range(blocks):
            self.add_module(f"block_{i}", Block(width, dropout))

    def forward(self, features: torch.Tensor, operators: tuple[torch.Tensor, ...]) -> torch.Tensor:
        x = self.first_lin(features)
        for i in range(self.blocks):
            x = self.get_submodule(f"block_{i}")(x, operators)
        output: torch.Tensor = self.last_lin(x)
        return output
