"""In .venv-openrlhf: the largest differences between the embedded PPO's equations and theirs.

By name, absolute, on random tensors.
"""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import torch

from limr.train.embedded import losses, packing
from limr.train.openrlhf import flash_attention, hooks

hooks.install([flash_attention.IMPORTER])  # these import names of flash-attn

from openrlhf.models.loss import PolicyLoss, ValueLoss  # noqa: E402
from openrlhf.models.utils import compute_approx_kl, log_probs_from_logits  # noqa: E402
from openrlhf.trainer.ppo_utils.experience import Experience  # noqa: E402
from openrlhf.trainer.ppo_utils.experience_maker import RemoteExperienceMaker  # noqa: E402

ROWS, PLACES, CLIP, VALUE_CLIP, BETA, GAMMA, LAMBDA = 12, 9, 0.2, 0.3, 0.05, 0.98, 0.95


class Case:
    """Random tensors of one batch; a response fills the first places of its row."""

    def __init__(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)

        def normal(scale: float) -> torch.Tensor:
            return scale * torch.randn((ROWS, PLACES), generator=generator)

        self.lengths = torch.randint(1, PLACES + 1, (ROWS,), generator=generator)
        self.mask = torch.arange(PLACES) < self.lengths[:, None]
        self.old = normal(1.0) - 2
        self.new = self.old + normal(0.3)
        self.reference = self.old + normal(0.3)
        self.values, self.old_values = normal(1.0), normal(1.0)
        self.scores = torch.randn(ROWS, generator=generator)
        self.logits = torch.randn((ROWS, 7), generator=generator)
        self.targets = torch.randint(0, 7, (ROWS,), generator=generator)


def far(ours: torch.Tensor, theirs: torch.Tensor, mask: torch.Tensor | None = None) -> float:
    """The largest absolute difference, where the mask is."""
    apart = (ours - theirs).abs()
    return float((apart if mask is None else apart[mask]).max())


def their_advantages(case: Case) -> tuple[torch.Tensor, torch.Tensor]:
    """OpenRLHF's whitened advantages and its returns, by the method that its trainer calls."""
    experience = Experience(
        rewards=case.scores.clone(), values=case.old_values, action_mask=case.mask,
        kl=compute_approx_kl(case.old, case.reference), index=list(range(ROWS)),
    )  # fmt: skip
    advantage = SimpleNamespace(estimator="gae", gamma=GAMMA, lambd=LAMBDA, no_std_norm=False)
    reward = SimpleNamespace(
        clip_range=(-10, 10), overlong_buffer_len=None, stop_properly_penalty_coef=None
    )
    args = SimpleNamespace(
        algo=SimpleNamespace(advantage=advantage),
        rollout=SimpleNamespace(n_samples_per_prompt=4, max_new_tokens=PLACES),
        reward=reward,
    )
    maker = SimpleNamespace(
        strategy=SimpleNamespace(args=args), kl_ctl=SimpleNamespace(value=BETA),
        advantage_estimator="gae",
        get_advantages_and_returns=partial(RemoteExperienceMaker.get_advantages_and_returns, None),
    )  # fmt: skip
    made = RemoteExperienceMaker.compute_advantages_and_returns(maker, [experience])[0]
    return made.advantages, made.returns


def differences(seed: int) -> dict[str, float]:
    """Every difference for one batch."""
    case = Case(seed)
    mask, found = case.mask, {}
    kl = losses.kl_estimate(case.old, case.reference)
    found["kl"] = far(kl, compute_approx_kl(case.old, case.reference))
    rewards = losses.token_rewards(
        case.scores, torch.where(mask, kl, 0.0), BETA, case.lengths, PLACES
    )
    raw, returns = losses.advantages(rewards, case.old_values, mask, GAMMA, LAMBDA)
    advantages = losses.whiten(raw, mask)
    theirs, their_returns = their_advantages(case)
    found["advantages"] = far(advantages, theirs, mask)
    found["returns"] = far(returns, their_returns, mask)
    ours, clipped = losses.policy_loss(case.new, case.old, advantages, CLIP)
    policy = PolicyLoss(CLIP, CLIP)(case.new, case.old, advantages, action_mask=mask)
    found["policy_loss"] = far(ours[mask].mean(), policy[0])
    found["clip_fraction"] = far(clipped[mask].float().mean(), policy[1])
    value = losses.value_loss(case.values, case.old_values, returns, VALUE_CLIP)
    their_value = ValueLoss(VALUE_CLIP)(case.values, case.old_values, returns, action_mask=mask)
    found["value_loss"] = far(value[mask].mean(), their_value)
    identity = torch.eye(7)
    for temperature in (1.0, 1.2):
        log_p = packing.log_probabilities(case.logits, identity, case.targets, temperature)
        theirs = log_probs_from_logits(case.logits[None].clone(), case.targets[None], temperature)
        found[f"log_probabilities at {temperature}"] = far(log_p, theirs[0])
    return found


def largest() -> dict[str, float]:
    """Return the largest difference of each equation over many cases."""
    every = [differences(seed) for seed in range(20)]
    return {name: max(one[name] for one in every) for name in every[0]}
