"""PPO's equations on cases worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from limr.train.embedded import losses


def tensor(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def test_advantages_by_hand():
    # gamma 0.5, lambda 0.5; one response of 3 tokens, one of 1 token.
    rewards = tensor([0.0, 0.1, 1.0], [-1.0, 9.0, 9.0])
    values = tensor([0.2, 0.4, 0.6], [0.5, 9.0, 9.0])
    mask = torch.tensor([[True, True, True], [True, False, False]])
    found, targets = losses.advantages(rewards, values, mask, gamma=0.5, lam=0.5)
    delta2 = 1.0 - 0.6  # terminal: no following value
    delta1 = 0.1 + 0.5 * 0.6 - 0.4
    delta0 = 0.0 + 0.5 * 0.4 - 0.2
    a2 = delta2
    a1 = delta1 + 0.25 * a2
    a0 = delta0 + 0.25 * a1
    expected = tensor([a0, a1, a2], [-1.5, 0.0, 0.0])
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(targets, tensor([a0 + 0.2, a1 + 0.4, a2 + 0.6], [-1.0, 0.0, 0.0]))


def test_advantages_with_lambda_one_are_returns_minus_values():
    rewards = tensor([0.25, -0.5, 1.0])
    values = tensor([0.1, 0.2, 0.3])
    mask = torch.ones(1, 3, dtype=torch.bool)
    found, targets = losses.advantages(rewards, values, mask, gamma=1.0, lam=1.0)
    torch.testing.assert_close(targets, tensor([0.75, 0.5, 1.0]))  # sums of what is to come
    torch.testing.assert_close(found, tensor([0.65, 0.3, 0.7]))


@pytest.mark.parametrize("lam", [0.0, 0.5, 1.0])
def test_padding_never_matters(lam):
    mask = torch.tensor([[True, True, False, False], [True, True, True, False]])
    rewards, values = torch.rand(2, 4), torch.rand(2, 4)
    first, _ = losses.advantages(rewards, values, mask, 0.9, lam)
    noise = torch.where(mask, 0.0, 100.0)
    second, targets = losses.advantages(rewards + noise, values - noise, mask, 0.9, lam)
    assert torch.equal(first, second)
    assert torch.equal(targets[~mask], torch.zeros(3))
    white = losses.whiten(first, mask)
    assert torch.equal(losses.whiten(first + noise, mask)[mask], white[mask])
    assert torch.equal(white[~mask], torch.zeros(3))


def test_whitening_by_hand():
    mask = torch.tensor([[True, True], [True, False]])
    found = losses.whiten(tensor([1.0, 2.0], [6.0, 50.0]), mask)
    # mean 3, variance ((-2)^2 + (-1)^2 + 3^2) / 3 = 14 / 3
    deviation = math.sqrt(14 / 3)
    torch.testing.assert_close(found, tensor([-2 / deviation, -1 / deviation], [3 / deviation, 0]))


def test_whitening_of_equal_values_is_zero():
    mask = torch.ones(2, 2, dtype=torch.bool)
    assert torch.equal(losses.whiten(torch.full((2, 2), 7.0), mask), torch.zeros(2, 2))


def test_kl_and_token_rewards_by_hand():
    # pi(a) = 0.5, pi_ref(a) = 0.25: log 2 nats.
    kl = losses.kl_estimate(torch.log(tensor([0.5, 0.5])), torch.log(tensor([0.25, 0.5])))
    torch.testing.assert_close(kl, tensor([math.log(2), 0.0]))
    lengths = torch.tensor([2, 1])
    both = torch.cat([kl, tensor([0.0, 0.0])])
    found = losses.token_rewards(tensor(1.0, -0.5), both, 0.1, lengths, 2)
    torch.testing.assert_close(found, tensor([-0.1 * math.log(2), 1.0], [-0.5, 0.0]))


def test_token_rewards_without_reference():
    found = losses.token_rewards(tensor(1.0, -1.0), None, 0.0, torch.tensor([3, 1]), 3)
    torch.testing.assert_close(found, tensor([0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]))


@pytest.mark.parametrize(
    ("ratio", "advantage", "expected", "clipped"),
    [
        (1.1, 2.0, -2.2, False),
        (1.5, 2.0, -2.4, True),  # 1.2 x 2: no more to gain
        (0.5, 2.0, -1.0, False),  # worse is never clipped
        (0.5, -1.0, 0.8, True),  # 0.8 x 1
        (1.5, -1.0, 1.5, False),
    ],
)
def test_policy_loss_by_hand(ratio, advantage, expected, clipped):
    log_p = torch.log(tensor(ratio * 0.3)).requires_grad_()
    old = torch.log(tensor(0.3))
    loss, decided = losses.policy_loss(log_p, old, tensor(advantage), 0.2)
    torch.testing.assert_close(loss, tensor(expected))
    assert decided.tolist() == [clipped]
    loss.sum().backward()
    # d(-rho A) / d log pi = -rho A, and 0 where the clip decided
    torch.testing.assert_close(log_p.grad, tensor(0.0 if clipped else -ratio * advantage))


@pytest.mark.parametrize(
    ("value", "old", "target", "expected"),
    [
        (1.1, 1.0, 2.0, 0.5 * 0.9**2),  # within the range
        (1.5, 1.0, 2.0, 0.5 * 0.8**2),  # moved too far: 1.2 is judged instead, the larger error
        (0.0, 1.0, 2.0, 0.5 * 2.0**2),  # moved away: judged as it is
        (3.0, 5.0, 3.0, 0.5 * 1.8**2),  # moved down to the target: judged as if by the clip only
        (3.1, 3.0, 2.0, 0.5 * 1.1**2),  # within the range, of another old value
    ],
)
def test_value_loss_by_hand(value, old, target, expected):
    found = losses.value_loss(tensor(value), tensor(old), tensor(target), 0.2)
    torch.testing.assert_close(found, tensor(expected))
