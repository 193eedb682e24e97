"""Format only: well formed is rewarded, right or wrong (Spurious Rewards, arXiv 2506.10947).

A control: it teaches to end, and to box an answer, and nothing of the problem. What is well formed
is the grader's format rule, as in the paper's reward; that work asks for a box alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limr.core.validation import Keys, Number, key
from limr.grading.rewards import Rollout

TITLE = "Format-only reward"


class Options(Keys):
    """Keys beside `rule`."""

    well_formed: Number = key(1.0, "Reward of any readable answer.")
    malformed: Number = key(-1.0, "Reward where no answer can be read.")


def reward(rollout: Rollout, options: Mapping[str, Any]) -> float:
    """Return the reward of the rollout's form."""
    return float(options["malformed" if rollout.verdict == "malformed" else "well_formed"])


def values(options: Mapping[str, Any]) -> list[float]:
    """Return the two rewards."""
    return [options["well_formed"], options["malformed"]]
