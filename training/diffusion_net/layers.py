"""The layers of DiffusionNet. Parameter names are those of the authors' release, so that their checkpoints load."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from training.diffusion_net.surface import Surface

MIN_TIME = 1e-8  # a diffusion time is a duration: it stays positive


class SpectralDiffusion(nn.Module):
    """Heat diffusion for a learned time per channel (Sharp et al. 2022, Eq. 5): exp(-λ t) in the eigenbasis."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.diffusion_time = nn.Parameter(torch.zeros(channels))

    def forward(self, signal: torch.Tensor, surface: Surface) -> torch.Tensor:
        """Coefficients (K, C) of the diffused signal (V, C) in the eigenbasis."""
        with torch.no_grad():  # in place: a clamp in the graph would stop the gradient of times at the bound
            self.diffusion_time.clamp_(min=MIN_TIME)
        spectrum = surface.eigenvectors.T @ (signal * surface.mass[:, None])
        return spectrum * torch.exp(-surface.eigenvalues[:, None] * self.diffusion_time)


class GradientFeatures(nn.Module):
    """Inner products of gradients after a learned complex rotation (Sharp et al. 2022, Eq. 7)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.A_re = nn.Linear(channels, channels, bias=False)
        self.A_im = nn.Linear(channels, channels, bias=False)

    def forward(self, along_x: torch.Tensor, along_y: torch.Tensor) -> torch.Tensor:
        """(V, C) features of gradients whose components are (V, C) each; invariant to the tangent frames."""
        real = self.A_re(along_x) - self.A_im(along_y)
        imaginary = self.A_re(along_y) + self.A_im(along_x)
        return torch.tanh(along_x * real + along_y * imaginary)


class MiniMLP(nn.Sequential):
    """Linear layers with ReLU between them, and dropout before all but the first."""

    def __init__(self, sizes: Sequence[int], dropout: float) -> None:
        super().__init__()
        for i, (before, after) in enumerate(pairwise(sizes)):
            if i and dropout:
                self.add_module(f"miniMLP_mlp_layer_dropout_{i:03d}", nn.Dropout(dropout))
            self.add_module(f"miniMLP_mlp_layer_{i:03d}", nn.Linear(before, after))
            if i + 2 < len(sizes):
                self.add_module(f"miniMLP_mlp_act_{i:03d}", nn.ReLU())


class DiffusionBlock(nn.Module):
    """Diffusion, gradient features and a per-vertex MLP, with a residual connection."""

    def __init__(self, channels: int, hidden: Sequence[int], dropout: float, gradients: bool) -> None:
        super().__init__()
        self.diffusion = SpectralDiffusion(channels)
        self.gradient_features = GradientFeatures(channels) if gradients else None
        self.mlp = MiniMLP([channels * (3 if gradients else 2), *hidden, channels], dropout)

    def forward(self, signal: torch.Tensor, surface: Surface) -> torch.Tensor:
        """(V, C) -> (V, C)."""
        spectrum = self.diffusion(signal, surface)
        diffused = surface.eigenvectors @ spectrum
        parts = [signal, diffused]
        if self.gradient_features is not None:
            parts.append(self.gradient_features(*surface.gradients(spectrum, diffused)))
        output: torch.Tensor = self.mlp(torch.cat(parts, dim=-1)) + signal
        return output
