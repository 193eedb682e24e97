"""Random: a coin that knows nothing of the response (Spurious Rewards, arXiv 2506.10947).

A control: what a policy gains from it, it has not learnt from right answers. Each sample's coin has
a stream of its own, named by run, step, problem and sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limr.grading.rewards import Rollout

TITLE = "Random reward"
OPTIONS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "probability": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "default": 0.5,
            "description": "Of being rewarded.",
        },
        "rewarded": {"type": "number", "default": 1.0, "description": "The reward."},
        "otherwise": {
            "type": "number",
            "default": -0.5,
            "description": "What the others get; by default what a wrong answer gets in the paper.",
        },
    },
}


def reward(rollout: Rollout, options: Mapping[str, Any]) -> float:
    """Return the coin's reward."""
    won = rollout.uniform < options["probability"]
    return float(options["rewarded" if won else "otherwise"])


def values(options: Mapping[str, Any]) -> list[float]:
    """Return the two rewards."""
    return [options["rewarded"], options["otherwise"]]
