"""The options of every log of training steps, and what is wrong with some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from limr.core.errors import InputError
from limr.trajectories.reading import BAD_ROWS


def options(correct: Sequence[float], others: Sequence[float]) -> dict[str, Any]:
    """Return the options of every log of steps; the arguments are a format's usual rewards."""
    return {
        "steps_per_epoch": {
            "type": ["integer", "null"],
            "minimum": 1,
            "default": None,
            "description": (
                "Steps in an epoch, for the log knows steps only: problems divided by prompts a "
                "step, without an incomplete last batch (the paper: 8)."
            ),
        },
        "correct_rewards": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "number"},
            "default": list(correct),
            "description": "Rewards that mean a correct response.",
        },
        "other_rewards": {
            "type": ["array", "null"],
            "items": {"type": "number"},
            "default": list(others),
            "description": (
                "Rewards that mean a response that is not correct; any further reward cannot be "
                "used. null: every other number."
            ),
        },
        "first_step": {
            "type": "integer",
            "default": 1,
            "description": "Number of the first step of the first epoch.",
        },
        "missing_steps": {
            "enum": ["refuse", "allow"],
            "default": "refuse",
            "description": "What to do where the log lacks a step: its problems lack that epoch.",
        },
        "visits": {
            "enum": ["once", "any"],
            "default": "once",
            "description": (
                "`once`: a problem is sampled in one step of an epoch, and a log that does "
                "otherwise is refused, for `steps_per_epoch` is then mostly wrong. `any`: its "
                "visits within an epoch are pooled."
            ),
        },
        "bad_rows": BAD_ROWS,
    }


def check(settings: Mapping[str, Any]) -> None:
    """Refuse settings that cannot serve, before a log is read.

    Raises:
        InputError: no `steps_per_epoch`, or a reward that means two things.
    """
    if settings["steps_per_epoch"] is None:
        raise InputError(
            "steps_per_epoch is needed: this format knows steps, not epochs. It is the number of "
            "problems divided by the prompts a step, without an incomplete last batch (the paper: "
            "8)."
        )
    both = set(settings["correct_rewards"]) & set(settings["other_rewards"] or [])
    if both:
        raise InputError(
            f"{min(both):g} is in correct_rewards and in other_rewards: take it out of one."
        )
