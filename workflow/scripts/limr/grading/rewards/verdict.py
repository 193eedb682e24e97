"""Verdict: the paper's reward: right, wrong or malformed (its section 2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limr.grading.rewards import Rollout

TITLE = "Verdict"
OPTIONS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "correct": {"type": "number", "default": 1.0, "description": "Right answer."},
        "incorrect": {
            "type": "number",
            "default": -0.5,
            "description": "Wrong answer, well formed.",
        },
        "malformed": {
            "type": "number",
            "default": -1.0,
            "description": "No answer that can be read: no box, no end, garbled, repeated.",
        },
    },
}


def reward(rollout: Rollout, options: Mapping[str, Any]) -> float:
    """Return the reward of the rollout's verdict."""
    return float(options[rollout.verdict])


def values(options: Mapping[str, Any]) -> list[float]:
    """Return the rewards of the three verdicts."""
    return [options[verdict] for verdict in ("correct", "incorrect", "malformed")]
