"""A mesh as DiffusionNet takes it: operators as tensors."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import torch


@dataclass(eq=False)
class Surface:
    """The operators of one mesh with V vertices, as tensors.

    Diffusion happens in the span of the first K eigenvectors, so the gradient of a diffused signal is a product with
    the gradients of the eigenvectors: two dense (V, K) matrices, made once, instead of two sparse products a block.
    The sparse (V, V) operators are taken too, and then everything is summed in the authors' order, so that published
    numbers can be repeated. Both are the same function: in double precision they agree to 1e-12. In single precision
    the gradients of the eigenbasis are the more exact: on the authors' own example they err by 8e-5 in log-probability,
    the authors' implementation by 6e-4, which is how far the two then are apart.

    Attributes:
        mass: (V,) vertex areas.
        eigenvalues: (K,) of the Laplacian, ascending.
        eigenvectors: (V, K), orthonormal under `mass`.
        gradient_x: derivative along the first axis of each vertex's tangent frame: (V, K), of each eigenvector, or
            sparse (V, V), to be applied to signals.
        gradient_y: along the second.
        faces: (F, 3) int64, needed for outputs at faces only.
        edges: (E, 2) int64, needed for outputs at edges only.
        weighted: (V, K) eigenvectors times areas; made when first needed.
    """

    mass: torch.Tensor
    eigenvalues: torch.Tensor
    eigenvectors: torch.Tensor
    gradient_x: torch.Tensor
    gradient_y: torch.Tensor
    faces: torch.Tensor | None = None
    edges: torch.Tensor | None = None
    weighted: torch.Tensor | None = field(default=None, repr=False)

    def spectrum(self, signal: torch.Tensor) -> torch.Tensor:
        """Coefficients (K, C) of a signal (V, C) in the eigenbasis, in single precision at least."""
        if self.gradient_x.is_sparse:
            return self.eigenvectors.T @ (signal * self.mass[:, None])
        if self.weighted is None:
            with torch.inference_mode(False):  # it is kept, and may be trained with after an evaluation
                self.weighted = self.eigenvectors * self.mass[:, None]
        coefficients = self.weighted.T @ signal
        return coefficients.to(torch.promote_types(signal.dtype, torch.float32))

    def in_precision(self, dtype: torch.dtype) -> Self:
        """The same surface with the matrices in this data type; areas and eigenvalues stay as they are."""
        if self.eigenvectors.dtype == dtype:
            return self
        matrices = {name: getattr(self, name).to(dtype) for name in ("eigenvectors", "gradient_x", "gradient_y")}
        weighted = torch.empty_like(matrices["eigenvectors"])
        torch.mul(self.eigenvectors, self.mass[:, None], out=weighted)  # rounded once, with no copy in between
        return replace(self, weighted=weighted, **matrices)

    def to(self, *args: object, **kwargs: object) -> Self:
        """The same surface on another device (as `torch.Tensor.to`; a data type applies to real tensors only)."""
        moved: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            moved[item.name] = None if value is None else value.to(*args, **kwargs)
        return type(self)(**moved)
