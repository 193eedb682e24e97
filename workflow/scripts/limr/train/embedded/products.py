"""Matrix products, on a CPU by NumPy's BLAS.

PyTorch's own products there are MKL's, which picks its kernels by the processor's maker and cannot
be told to do otherwise (docs/determinism.md). OpenBLAS, which NumPy brings, can, and is no slower
at this engine's sizes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor


def product(left: Tensor, right: Tensor) -> Tensor:
    """Return left @ right, without gradients; (..., n, k) and (..., k, m), alike before."""
    if left.device.type != "cpu":
        return left @ right
    return torch.from_numpy(np.matmul(left.detach().numpy(), right.detach().numpy()))


class _Matmul(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, left: Tensor, right: Tensor) -> Tensor:
        ctx.save_for_backward(left, right)
        return product(left, right)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        (gradient,), (left, right) = gradients, ctx.saved_tensors
        return (
            product(gradient, right.mT) if ctx.needs_input_grad[0] else None,
            product(left.mT, gradient) if ctx.needs_input_grad[1] else None,
        )


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        result = product(x, weight.T)
        return result if bias is None else result.add_(bias)

    @staticmethod
    def backward(
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        (gradient,), (x, weight) = gradients, ctx.saved_tensors
        return (
            product(gradient, weight) if ctx.needs_input_grad[0] else None,
            product(gradient.T, x) if ctx.needs_input_grad[1] else None,
            gradient.sum(0) if ctx.needs_input_grad[2] else None,
        )


def matmul(left: Tensor, right: Tensor) -> Tensor:
    """Return left @ right; (..., n, k) and (..., k, m), alike before."""
    result: Tensor = _Matmul.apply(left, right)  # type: ignore[no-untyped-call]
    return result


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return x @ weight' + bias; (n, k), (m, k), (m,)."""
    result: Tensor = _Linear.apply(x, weight, bias)  # type: ignore[no-untyped-call]
    return result
