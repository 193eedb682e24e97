"""The optimizer step that every kind of training shares."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn


def adam(parameters: Sequence[nn.Parameter], betas: Sequence[float]) -> torch.optim.Adam:
    """Return Adam without weight decay; each step sets the learning rate."""
    return torch.optim.Adam(parameters, lr=0.0, betas=(betas[0], betas[1]), fused=True)


def step(optimizer: torch.optim.Adam, learning_rate: float, max_grad_norm: float) -> None:
    """Clip the gradient's norm, take one step, clear the gradient."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    nn.utils.clip_grad_norm_(parameters, max_grad_norm)
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def warmed_up(peak: float, number: int, warmup: int) -> float:
    """Return the learning rate of optimizer step `number`, from 1: linear, then constant."""
    return peak * min(1.0, number / warmup) if warmup else peak


def cosine(peak: float, number: int, warmup: int, steps: int) -> float:
    """Return the learning rate of step `number`, from 1: linear warm-up, then cosine to a tenth."""
    if number <= warmup:
        return peak * number / warmup
    progress = (number - warmup) / max(1, steps - warmup)
    return peak * (0.55 + 0.45 * math.cos(math.pi * progress))
