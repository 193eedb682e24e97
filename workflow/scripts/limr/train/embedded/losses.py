"""The equations of PPO, as pure functions on masked matrices.

A matrix is (samples, places): one row per response, one column per token; `mask` is True where
there is a token. Values where the mask is False never matter and may be anything finite.
"""

from __future__ import annotations

import torch
from torch import Tensor


def kl_estimate(log_p: Tensor, reference: Tensor) -> Tensor:
    """Return log pi(a) - log pi_ref(a), the unbiased estimator k1 of KL(pi, pi_ref) per sample.

    Schulman 2020, 'Approximating KL divergence'.
    """
    return log_p - reference


def token_rewards(
    scores: Tensor, kl: Tensor | None, kl_coefficient: float, lengths: Tensor, places: int
) -> Tensor:
    """Return r_t = -beta KL_t, plus the response's score at its last token.

    InstructGPT (2203.02155), eq. 2, without the pretraining term.

    Args:
        scores: (samples,) one reward per response.
        kl: (samples, places), or None where beta is 0.
        kl_coefficient: beta.
        lengths: (samples,) tokens in each response, at least 1.
        places: columns of the result.
    """
    rewards = scores.new_zeros((len(scores), places)) if kl is None else -kl_coefficient * kl
    last = torch.arange(places, device=scores.device) == lengths[:, None] - 1
    return rewards + last * scores[:, None]


def advantages(
    rewards: Tensor, values: Tensor, mask: Tensor, gamma: float, lam: float
) -> tuple[Tensor, Tensor]:
    """Return generalised advantages and the value targets A + V, 0 outside the mask.

    delta_t = r_t + gamma V_{t+1} - V_t; A_t = delta_t + gamma lambda A_{t+1}; a response's last
    token is terminal (GAE, 1506.02438, eq. 11, 12 and 16).
    """
    following = torch.zeros_like(values[:, 0])
    advantage = torch.zeros_like(following)
    columns: list[Tensor] = []
    for place in range(values.shape[1] - 1, -1, -1):
        here = mask[:, place]
        delta = rewards[:, place] + gamma * following - values[:, place]
        advantage = torch.where(here, delta + gamma * lam * advantage, 0.0)
        following = torch.where(here, values[:, place], 0.0)
        columns.append(advantage)
    result = torch.stack(columns[::-1], dim=1)
    return result, torch.where(mask, result + values, 0.0)


def whiten(values: Tensor, mask: Tensor) -> Tensor:
    """Return (x - mean) / standard deviation over the masked tokens, 0 outside the mask.

    The mean is taken off too, and the variance is the biased one with 1e-8 as its floor.
    """
    real = values[mask]
    mean = real.mean()
    variance = ((real - mean) ** 2).mean().clamp(min=1e-8)
    return torch.where(mask, (values - mean) * variance.rsqrt(), 0.0)


def policy_loss(
    log_p: Tensor, old_log_p: Tensor, advantage: Tensor, clip: float
) -> tuple[Tensor, Tensor]:
    """Return the clipped surrogate per token, and whether clipping decided it.

    -min(rho A, clip(rho, 1 - eps, 1 + eps) A), rho = pi(a) / pi_old(a) (PPO, 1707.06347, eq. 7).
    All arguments have one shape.
    """
    ratio = (log_p - old_log_p).exp()
    free = ratio * advantage
    clipped = ratio.clamp(1 - clip, 1 + clip) * advantage
    return -torch.minimum(free, clipped), clipped < free


def value_loss(value: Tensor, old_value: Tensor, target: Tensor, clip: float) -> Tensor:
    """Return the clipped squared error per token.

    max((V - R)^2, (V_old + clip(V - V_old, -eps, eps) - R)^2) / 2 (PPO's reference code; 'The 37
    implementation details of PPO', detail 9).
    """
    near = old_value + (value - old_value).clamp(-clip, clip)
    return 0.5 * torch.maximum((value - target) ** 2, (near - target) ** 2)
