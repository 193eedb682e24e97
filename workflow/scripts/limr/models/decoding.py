"""How tokens are drawn from a policy's distribution: temperature and nucleus."""

from __future__ import annotations

import torch
from torch import Tensor

from limr.models.interface import Decoding


def choose(log_p: Tensor, decoding: Decoding, uniform: Tensor) -> Tensor:
    """Choose one token per row: the likeliest, or by inverting the distribution function.

    Args:
        log_p: (rows, vocabulary) log-probabilities.
        decoding: temperature 0 takes the likeliest; top_p < 1 cuts the tail first.
        uniform: (rows,) numbers in [0, 1).
    """
    if decoding.temperature == 0:
        return log_p.argmax(-1)
    p = log_p.exp()
    if decoding.top_p < 1:
        p = nucleus(p, decoding.top_p)
    below = p.cumsum(-1)
    total = below[:, -1:]
    # `below < total` keeps a rounded-up threshold from passing the last possible token.
    return ((below <= uniform[:, None] * total) & (below < total)).sum(-1)


def nucleus(p: Tensor, top_p: float) -> Tensor:
    """Zero the tail: keep the smallest set of likeliest tokens whose mass reaches `top_p`.

    Holtzman et al. 2020, eq. 2 to 3, without the rescaling, which `choose` does.
    """
    ordered, index = p.sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(-1) - ordered
    return torch.zeros_like(p).scatter(-1, index, ordered * (before < top_p))
