"""Random: a coin that knows nothing of the response (Spurious Rewards, arXiv 2506.10947).

A control: what a policy gains from it, it has not learnt from right answers. Each sample's coin has
a stream of its own, named by run, step, problem and sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limr.core.validation import Keys, Number, key
from limr.grading.rewards import Rollout

TITLE = "Random reward"


class Options(Keys):
    """Keys beside `rule`."""

    probability: Number = key(
        0.5, "Probability that a rollout is rewarded, from 0 to 1.", ge=0, le=1
    )
    rewarded: Number = key(1.0, "Reward of those rollouts.")
    otherwise: Number = key(
        -0.5, "What the others get; by default what a wrong answer gets in the paper."
    )


def reward(rollout: Rollout, options: Mapping[str, Any]) -> float:
    """Return the coin's reward."""
    won = rollout.uniform < options["probability"]
    return float(options["rewarded" if won else "otherwise"])


def values(options: Mapping[str, Any]) -> list[float]:
    """Return the two rewards."""
    return [options["rewarded"], options["otherwise"]]
