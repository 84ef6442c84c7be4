"""What the network needs to know of a mesh."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

import torch


@dataclass(eq=False)
class Surface:
    """The operators of one mesh with V vertices, as tensors.

    Diffusion happens in the span of the first K eigenvectors, so the gradient of a diffused signal is a product with
    the gradients of the eigenvectors: two dense (V, K) matrices, made once, instead of two sparse products a block.
    The sparse (V, V) operators are taken too: the same but for rounding, so that published numbers can be repeated.

    Attributes:
        mass: (V,) vertex areas.
        eigenvalues: (K,) of the Laplacian, ascending.
        eigenvectors: (V, K), orthonormal under `mass`.
        gradient_x: derivative along the first axis of each vertex's tangent frame: (V, K), of each eigenvector, or
            sparse (V, V), to be applied to signals.
        gradient_y: along the second.
        faces: (F, 3) int64, needed for outputs at faces only.
        edges: (E, 2) int64, needed for outputs at edges only.
    """

    mass: torch.Tensor
    eigenvalues: torch.Tensor
    eigenvectors: torch.Tensor
    gradient_x: torch.Tensor
    gradient_y: torch.Tensor
    faces: torch.Tensor | None = None
    edges: torch.Tensor | None = None

    def gradients(self, spectrum: torch.Tensor, signal: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Derivatives (V, C) along both axes of a signal (V, C) with the coefficients (K, C)."""
        source = signal if self.gradient_x.is_sparse else spectrum
        return self.gradient_x @ source, self.gradient_y @ source

    def to(self, *args: object, **kwargs: object) -> Self:
        """The same surface on another device (as `torch.Tensor.to`; a data type applies to real tensors only)."""
        moved: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            moved[item.name] = None if value is None else value.to(*args, **kwargs)
        return type(self)(**moved)
