"""Verdict: the paper's reward: right, wrong or malformed (its section 2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limr.core.validation import Keys, Number, key
from limr.grading.rewards import Rollout

TITLE = "Verdict"


class Options(Keys):
    """Keys beside `rule`."""

    correct: Number = key(1.0, "Reward of a right answer.")
    incorrect: Number = key(-0.5, "Reward of a wrong answer that is well formed.")
    malformed: Number = key(
        -1.0, "Reward where no answer can be read: no box, no end, garbled, repeated."
    )


def reward(rollout: Rollout, options: Mapping[str, Any]) -> float:
    """Return the reward of the rollout's verdict."""
    return float(options[rollout.verdict])


def values(options: Mapping[str, Any]) -> list[float]:
    """Return the rewards of the three verdicts."""
    return [options[verdict] for verdict in ("correct", "incorrect", "malformed")]
