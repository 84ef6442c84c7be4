"""Parts of the network whose derivatives are written out: fewer passes over large arrays, and fewer of them kept."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

_HALF = (torch.bfloat16, torch.float16)


class GradientProducts(torch.autograd.Function):
    """tanh of the inner products between gradients and their rotation, all from the coefficients in the eigenbasis.

    For coefficients S (K, C) the gradients are X S and Y S, with X and Y (V, K) the gradients of the eigenvectors.
    Rotating them by the complex matrix A + i B (Sharp et al. 2022, Eq. 7) commutes with that: X (S Aᵀ) - Y (S Bᵀ) is
    the real part, Y (S Aᵀ) + X (S Bᵀ) the imaginary one.
    """

    @staticmethod
    def forward(
        ctx: Any,
        spectrum: torch.Tensor,
        real_weights: torch.Tensor,
        imaginary_weights: torch.Tensor,
        basis_x: torch.Tensor,
        basis_y: torch.Tensor,
    ) -> torch.Tensor:
        turned, crossed = spectrum @ real_weights.T, spectrum @ imaginary_weights.T
        x, y = basis_x @ spectrum, basis_y @ spectrum
        real = (basis_x @ turned).addmm_(basis_y, -crossed)
        imaginary = (basis_y @ turned).addmm_(basis_x, crossed)
        result = (x * real).addcmul_(y, imaginary).tanh_()
        ctx.save_for_backward(
            spectrum, real_weights, imaginary_weights, basis_x, basis_y, x, y, real, imaginary, result
        )
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        spectrum, real_weights, imaginary_weights, basis_x, basis_y, x, y, real, imaginary, result = ctx.saved_tensors
        inner = torch.ops.aten.tanh_backward(gradient, result)
        by_spectrum = basis_x.T @ (inner * real) + basis_y.T @ (inner * imaginary)
        p = inner * x
        q = inner.mul_(y)
        by_turned = basis_x.T @ p + basis_y.T @ q
        by_crossed = basis_x.T @ q - basis_y.T @ p
        by_spectrum += by_turned @ real_weights + by_crossed @ imaginary_weights
        return by_spectrum, by_turned.T @ spectrum, by_crossed.T @ spectrum, None, None


def gradient_products(
    spectrum: torch.Tensor,
    real_weights: torch.Tensor,
    imaginary_weights: torch.Tensor,
    basis_x: torch.Tensor,
    basis_y: torch.Tensor,
) -> torch.Tensor:
    """The result of `GradientProducts`, with nothing kept for a derivative.

    The rotation takes three real products instead of four (Gauss): with T = S Aᵀ and C = S Bᵀ, X T - Y C is
    (X + Y) T - Y (T + C), and Y T + X C is (X + Y) T + X (C - T).
    """
    turned, crossed = spectrum @ real_weights.T, spectrum @ imaginary_weights.T
    imaginary = (basis_x + basis_y) @ turned
    real = torch.addmm(imaginary, basis_y, -(turned + crossed))
    imaginary.addmm_(basis_x, crossed - turned)
    real *= basis_x @ spectrum
    return real.addcmul_(basis_y @ spectrum, imaginary).tanh_()


class ReluDropout(torch.autograd.Function):
    """ReLU, then dropout without the usual scaling, in the place of the argument.

    What comes out positive was neither cut off nor dropped: the result is all that the derivative needs.
    """

    @staticmethod
    def forward(ctx: Any, signal: torch.Tensor, dropout: float) -> torch.Tensor:
        signal.relu_()
        if dropout:
            drop_(signal, dropout)
        ctx.mark_dirty(signal)
        ctx.save_for_backward(signal)
        return signal

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        (result,) = ctx.saved_tensors
        return torch.ops.aten.threshold_backward(gradient, result, 0), None


def drop_(signal: torch.Tensor, probability: float) -> torch.Tensor:
    """Set each entry to 0 with this probability (in steps of 2⁻¹⁵), independently, in place.

    The generator gives 64 bits at a time; torch's own dropout draws entry by entry, which on a CPU takes longer than
    the network's matrix products.
    """
    limit = round(probability * 2**15)
    if limit >= 2**15:
        return signal.zero_()
    words = torch.empty(-(-signal.numel() // 4), dtype=torch.int64, device=signal.device).random_(-(2**63), None)
    bits = words.view(torch.int16)[: signal.numel()].view(signal.shape)
    bits.bitwise_right_shift_(1).sub_(limit - 2**14)  # negative with the probability
    if signal.dtype in _HALF:
        signal.view(torch.int16).bitwise_and_(bits.bitwise_right_shift_(15).bitwise_not_())
        return signal
    return signal.mul_(bits >= 0)
