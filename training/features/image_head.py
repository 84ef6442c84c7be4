"""The trainable image head: up-convolutions between token maps and vertices, evaluated only where vertices fall."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import nn
from torch.nn import functional

CHUNK = 4096  # points of one view at once: bounds the memory of a step whatever the number of views and vertices
LIMIT = 6.0  # standard deviations: heavy-tailed channels of tokens are cut there


@dataclass(eq=False)
class ImageSamples:
    """Token maps of N views, and where P points fall on them.

    Attributes:
        maps: N maps (h, w, C), each over its whole image, in half precision.
        where: (N, P, 2) float32 position in the image as a share of its width and height.
        weights: (N, P) float32, of sum one over the views, or zero where no image covers the point.
    """

    maps: list[torch.Tensor]
    where: torch.Tensor
    weights: torch.Tensor

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """The same on another device."""
        maps = [item.to(*args, **kwargs) for item in self.maps]
        return type(self)(maps, self.where.to(*args, **kwargs), self.weights.to(*args, **kwargs))


class UpConvolution(nn.Module):
    """The 2 x 2 up-convolution of stride 2 of Ronneberger et al. 2015: each pixel becomes four, by four matrices.

    The windows don't overlap, so a pixel depends on its parent alone: it can be evaluated at any set of pixels, and
    equals `torch.nn.ConvTranspose2d(inputs, outputs, 2, stride=2)` there.

    Args:
        inputs: channels of a parent.
        outputs: channels of a child.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, inputs, outputs) / inputs**0.5)  # keeps the variance of its input
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, parents: torch.Tensor, counts: list[int]) -> torch.Tensor:
        """Children (n, outputs) of their parents' rows (n, inputs), the first `counts[0]` of them upper left ones,
        then upper right, lower left and lower right ones."""
        parts = zip(parents.split(counts), self.weight, strict=True)
        return torch.cat([part @ weight for part, weight in parts]) + self.bias


class ImageHead(nn.Module):
    """Three up-convolutions from tokens to features at vertices (Chen et al. 2025), fused over the views.

    Maps at full resolution are never made. The eightfold finer map is evaluated only at the pixels around the vertices
    of one view at a time, and evaluated again in the backward pass: a step holds the activations of `CHUNK` points,
    and for each vertex the result and its gradient.

    Args:
        inputs: C, channels of a token.
        width: channels of each layer.
        variance: give Σ w (f - μ)² behind μ = Σ w f.
        layers: how often the resolution doubles.
    """

    def __init__(self, inputs: int, width: int = 512, variance: bool = True, layers: int = 3) -> None:
        super().__init__()
        self.variance, self.width = variance, width
        self.register_buffer("token_mean", torch.zeros(inputs))
        self.register_buffer("token_deviation", torch.ones(inputs))
        self.layers = nn.ModuleList(UpConvolution(inputs if i == 0 else width, width) for i in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers - 1))

    token_mean: torch.Tensor
    token_deviation: torch.Tensor

    @property
    def channels(self) -> int:
        """Channels at a vertex."""
        return self.width * (2 if self.variance else 1)

    def forward(self, samples: ImageSamples, kept: torch.Tensor | None = None) -> torch.Tensor:
        """(P, width) means over the views, or (P, 2 width) with the variances; zero where no image covers the point.

        Args:
            samples: token maps and places.
            kept: (C,) factors of the tokens' channels, for dropout.
        """
        result: torch.Tensor = _Lift.apply(self, samples, kept, *self.parameters())
        return result

    def sample(self, tokens: torch.Tensor, where: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
        """(P, width) the fine map of tokens (h, w, C), sampled bilinearly at shares (P, 2) of its width and height."""
        height, width = tokens.shape[:2]
        scale = 2 ** len(self.layers)
        pixels, shares = bilinear_corners(where, height * scale, width * scale)
        roots, rows, counts = _ancestors(pixels, height * scale, width * scale, len(self.layers))
        values = self._normalised(tokens.reshape(height * width, -1)[roots], kept)
        for i, layer in enumerate(self.layers):
            values = layer(values[rows[-1 - i]], counts[-1 - i])
            if i < len(self.norms):
                values = functional.gelu(self.norms[i](values))
        return functional.embedding_bag(rows[0], values.float(), per_sample_weights=shares, mode="sum")

    def _normalised(self, tokens: torch.Tensor, kept: torch.Tensor | None) -> torch.Tensor:
        values = ((tokens.float() - self.token_mean) / self.token_deviation).clamp_(-LIMIT, LIMIT)
        return values if kept is None else values * kept


def _ancestors(
    pixels: torch.Tensor, height: int, width: int, generations: int
) -> tuple[torch.Tensor, list[torch.Tensor], list[list[int]]]:
    """Pixels of a map (height, width) and of the coarser maps that they come from, each once.

    Args:
        pixels: row-major numbers, of any shape, with repeats.

    Returns:
        The coarsest pixels (n,); from fine to coarse, the rows of `pixels`, of their parents, ... among the pixels that
        are kept of each map; for all maps but the coarsest, how many pixels of each of the four kinds are kept.
    """
    rows, counts = [], []
    for _ in range(generations):
        size = height * width
        kind = 2 * (pixels // width % 2) + pixels % 2
        keys, row = torch.unique(kind * size + pixels, return_inverse=True)  # ordered by kind
        rows.append(row)
        counts.append(torch.bincount(keys // size, minlength=4).tolist())
        pixels = keys % size
        pixels = pixels // width // 2 * (width // 2) + pixels % width // 2
        height, width = height // 2, width // 2
    roots, row = torch.unique(pixels, return_inverse=True)
    return roots, [*rows, row], counts


def bilinear_corners(where: torch.Tensor, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The four pixels around shares (P, 2) of width and height: row-major numbers (P, 4) and weights (P, 4).

    Values live at the centres of pixels; beyond the outermost centres the border is repeated.
    """
    x = (where[:, 0] * width - 0.5).clamp(0, width - 1)
    y = (where[:, 1] * height - 0.5).clamp(0, height - 1)
    left, top = x.long().clamp(max=width - 2), y.long().clamp(max=height - 2)
    u, v = x - left, y - top
    first = top * width + left
    pixels = torch.stack([first, first + 1, first + width, first + width + 1], dim=1)
    return pixels, torch.stack([(1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v], dim=1)


def _parts(samples: ImageSamples) -> Iterator[tuple[int, torch.Tensor]]:
    """View and points (at most `CHUNK`) of each piece of the work; points near one another share a piece."""
    for view in range(len(samples.maps)):
        points = torch.nonzero(samples.weights[view] > 0)[:, 0]
        if len(points) > CHUNK:
            points = points[samples.where[view, points, 1].argsort()]
        for part in points.split(CHUNK):
            if len(part):
                yield view, part


class _Lift(torch.autograd.Function):
    """Mean and variance over the views of features that the backward pass computes again.

    With weights of sum one, ∂μ/∂f_i = w_i and ∂s²/∂f_i = 2 w_i (f_i - μ): each view can be differentiated by itself
    once μ is known.
    """

    @staticmethod
    def forward(
        ctx: Any, head: ImageHead, samples: ImageSamples, kept: torch.Tensor | None, *parameters: torch.Tensor
    ) -> torch.Tensor:
        points, device = samples.weights.shape[1], samples.weights.device
        result = torch.zeros(points, head.channels, device=device)
        mean, square = result[:, : head.width], result[:, head.width :]
        total = torch.zeros(points, device=device)
        for view, part in _parts(samples):  # West's one-pass form (1979), which doesn't cancel
            weights = samples.weights[view, part]
            total[part] += weights
            value = head.sample(samples.maps[view], samples.where[view, part], kept)
            change = value - mean[part]
            mean[part] += change * (weights / total[part])[:, None]
            if head.variance:
                square[part] += change.mul_(weights[:, None]).mul_(value.sub_(mean[part]))
        ctx.head, ctx.samples, ctx.kept, ctx.parameters = head, samples, kept, parameters
        ctx.autocast = _autocast(device.type)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        width, (result,) = ctx.head.width, ctx.saved_tensors
        wanted = [item for item in ctx.parameters if item.requires_grad]
        sums = [torch.zeros_like(item) for item in wanted]
        for view, part in _parts(ctx.samples):
            with torch.enable_grad(), ctx.autocast:
                value = ctx.head.sample(ctx.samples.maps[view], ctx.samples.where[view, part], ctx.kept)
            slope = gradient[part, :width]
            if ctx.head.variance:
                change = value.detach() - result[part, :width]
                slope = torch.addcmul(slope, gradient[part, width:], change, value=2)
            slope = slope * ctx.samples.weights[view, part, None]
            for total, item in zip(sums, torch.autograd.grad(value, wanted, slope), strict=True):
                total += item
        gradients = iter(sums)
        return None, None, None, *(next(gradients) if item.requires_grad else None for item in ctx.parameters)


def _autocast(device: str) -> AbstractContextManager:
    """The mixed precision that is on now, to be entered again in the backward pass."""
    return torch.autocast(device, torch.get_autocast_dtype(device), torch.is_autocast_enabled(device))
