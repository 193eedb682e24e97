"""The optimizer step that every kind of training shares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn


class Adam:
    """Adam without weight decay, with the bytes of PyTorch's own fused one.

    `torch.optim` loads PyTorch's compiler at its first call, which takes longer than a small run.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], betas: Sequence[float]) -> None:
        self._parameters: list[Tensor] = list(parameters)
        self._betas = betas
        self._state = {
            "means": [torch.zeros_like(parameter) for parameter in self._parameters],
            "squares": [torch.zeros_like(parameter) for parameter in self._parameters],
            "steps": [torch.zeros((), device=parameter.device) for parameter in self._parameters],
        }

    def state_dict(self) -> dict[str, list[Tensor]]:
        """Return what the next step depends on, beside parameters and gradients."""
        return self._state

    def load_state_dict(self, state: Mapping[str, list[Tensor]]) -> None:
        """Go on from a state."""
        self._state = {name: list(state[name]) for name in self._state}

    @torch.no_grad()
    def step(self, learning_rate: float, max_grad_norm: float) -> None:
        """Clip the norm of the gradient, take one step, clear the gradient.

        Every parameter must have a gradient.
        """
        nn.utils.clip_grad_norm_(self._parameters, max_grad_norm)
        gradients = [p.grad for p in self._parameters if p.grad is not None]
        torch._foreach_add_(self._state["steps"], 1)
        torch._fused_adam_(
            self._parameters,
            gradients,
            self._state["means"],
            self._state["squares"],
            [],
            self._state["steps"],
            lr=learning_rate,
            beta1=self._betas[0],
            beta2=self._betas[1],
            weight_decay=0.0,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )
        for parameter in self._parameters:
            parameter.grad = None


def warmed_up(peak: float, number: int, warmup: int) -> float:
    """Return the learning rate of optimizer step `number`, from 1: linear, then constant."""
    return peak * min(1.0, number / warmup) if warmup else peak


def cosine(peak: float, number: int, warmup: int, steps: int) -> float:
    """Return the learning rate of step `number`, from 1: linear warm-up, then cosine to a tenth."""
    if number <= warmup:
        return peak * number / warmup
    progress = (number - warmup) / max(1, steps - warmup)
    return peak * (0.55 + 0.45 * math.cos(math.pi * progress))
