"""Incorrect label: a well-formed wrong answer is rewarded, the right one is not (arXiv 2506.10947).

A control: it pays for error. Spurious Rewards keeps the problems whose majority answer is wrong and
takes that answer as the label. Here every problem stays, and any well-formed wrong answer counts as
the label: no rollouts have to be made before, and the arm differs from FULL in its reward alone.
docs/deviations.md says what that changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limr.core.validation import Keys, Number, key
from limr.grading.rewards import Rollout

TITLE = "Incorrect-label reward"


class Options(Keys):
    """Keys beside `rule`."""

    incorrect: Number = key(1.0, "Reward of a wrong answer that is well formed.")
    correct: Number = key(-0.5, "Reward of a right answer.")
    malformed: Number = key(-1.0, "Reward where no answer can be read.")


def reward(rollout: Rollout, options: Mapping[str, Any]) -> float:
    """Return the reward of the rollout's verdict, truth and error exchanged."""
    return float(options[rollout.verdict])


def values(options: Mapping[str, Any]) -> list[float]:
    """Return the rewards of the three verdicts."""
    return [options[verdict] for verdict in ("correct", "incorrect", "malformed")]
