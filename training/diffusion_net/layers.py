"""The layers of DiffusionNet. Parameter names are those of the authors' release, so that their checkpoints load."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from training.diffusion_net.functions import GradientProducts, ReluDropout, gradient_products
from training.diffusion_net.surface import Surface

PART = 16384  # vertices that evaluation takes at once: what is made for them stays in the processor's cache
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
        decay = torch.exp(-surface.eigenvalues[:, None] * self.diffusion_time)
        return (surface.spectrum(signal) * decay).to(signal.dtype)


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

    def of_spectrum(self, spectrum: torch.Tensor, gradient_x: torch.Tensor, gradient_y: torch.Tensor) -> torch.Tensor:
        """The same for the signal with the coefficients (K, C), from the gradients of the eigenvectors."""
        real, imaginary = (layer.weight.to(spectrum.dtype) for layer in (self.A_re, self.A_im))
        if not torch.is_grad_enabled():
            return gradient_products(spectrum, real, imaginary, gradient_x, gradient_y)
        features: torch.Tensor = GradientProducts.apply(spectrum, real, imaginary, gradient_x, gradient_y)
        return features


class MiniMLP(nn.Sequential):
    """Linear layers with ReLU between them, and dropout before all but the first."""

    def __init__(self, sizes: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.linear: list[str] = []
        for i, (before, after) in enumerate(pairwise(sizes)):
            if i and dropout:
                self.add_module(f"miniMLP_mlp_layer_dropout_{i:03d}", nn.Dropout(dropout))
            self.linear.append(f"miniMLP_mlp_layer_{i:03d}")
            self.add_module(self.linear[-1], nn.Linear(before, after))
            if i + 2 < len(sizes):
                self.add_module(f"miniMLP_mlp_act_{i:03d}", nn.ReLU())

    def forward(self, signal: torch.Tensor) -> torch.Tensor:
        """(V, sizes[0]) -> (V, sizes[-1])."""
        weight, bias = self._parameters_of(0, signal.dtype)
        return self.after_first(functional.linear(signal, weight, bias))

    def first(
        self, signal: torch.Tensor, vectors: torch.Tensor, spectrum: torch.Tensor, *more: torch.Tensor
    ) -> torch.Tensor:
        """The first layer of [signal, vectors spectrum, more]; neither that product nor the wide row is ever made."""
        weight, bias = self._parameters_of(0, signal.dtype)
        parts = weight.split([signal.shape[1], spectrum.shape[1], *(part.shape[1] for part in more)], dim=1)
        result = functional.linear(signal, parts[0], bias).addmm_(vectors, spectrum @ parts[1].T)
        for part, columns in zip(more, parts[2:], strict=True):
            result.addmm_(part, columns.T)
        return result

    def after_first(self, hidden: torch.Tensor) -> torch.Tensor:
        """The result of the layers behind the first, from its result, which they overwrite."""
        dropout = self.dropout if self.training else 0.0
        for i in range(1, len(self.linear)):
            hidden = ReluDropout.apply(hidden, dropout)
            weight, bias = self._parameters_of(i, hidden.dtype)
            hidden = functional.linear(hidden, weight / (1 - dropout) if dropout else weight, bias)
        return hidden

    def _parameters_of(self, layer: int, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
        linear = self.get_submodule(self.linear[layer])
        assert isinstance(linear, nn.Linear)
        return linear.weight.to(dtype), linear.bias.to(dtype)


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
        if surface.gradient_x.is_sparse:
            return self._as_published(signal, spectrum, surface)
        matrices = surface.eigenvectors, surface.gradient_x, surface.gradient_y
        if torch.is_grad_enabled():
            return self._at_vertices(signal, spectrum, *matrices)
        result = torch.empty_like(signal)
        for part in zip(*(matrix.split(PART) for matrix in (result, signal, *matrices)), strict=True):
            part[0].copy_(self._at_vertices(part[1], spectrum, *part[2:]))
        return result

    def _at_vertices(
        self,
        signal: torch.Tensor,
        spectrum: torch.Tensor,
        vectors: torch.Tensor,
        gradient_x: torch.Tensor,
        gradient_y: torch.Tensor,
    ) -> torch.Tensor:
        """The block's output (V, C) once the signal is diffused: each vertex for itself, so in any parts."""
        parts = []
        if self.gradient_features is not None:
            parts.append(self.gradient_features.of_spectrum(spectrum, gradient_x, gradient_y))
        return self.mlp.after_first(self.mlp.first(signal, vectors, spectrum, *parts)).add_(signal)

    def _as_published(self, signal: torch.Tensor, spectrum: torch.Tensor, surface: Surface) -> torch.Tensor:
        """The same sums in the authors' order: what is rounded differently shows in the fourth digit."""
        diffused = surface.eigenvectors @ spectrum
        parts = [signal, diffused]
        if self.gradient_features is not None:
            parts.append(self.gradient_features(surface.gradient_x @ diffused, surface.gradient_y @ diffused))
        output: torch.Tensor = self.mlp(torch.cat(parts, dim=-1)) + signal
        return output
