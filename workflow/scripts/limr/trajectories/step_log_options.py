"""The options of every log of training steps, and what is wrong with some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from limr.core.errors import InputError
from limr.core.validation import Keys, Number, key
from limr.trajectories.reading import BadRows

OtherRewards = Annotated[
    list[Number] | None,
    Field(
        description="Rewards that mean a response that is not correct; any further reward cannot "
        "be used. null: every other number."
    ),
]


class StepLog(Keys):
    """Keys of every log of training steps."""

    steps_per_epoch: int | None = key(
        None,
        "Steps per epoch, as the log knows steps only: problems divided by prompts per step, "
        "not counting an incomplete last batch (the paper: 8).",
        ge=1,
    )
    correct_rewards: list[Number] = key(
        [1.0], "Rewards that mean a correct response.", min_length=1
    )
    other_rewards: OtherRewards = key([0.0, -0.5, -1.0])
    first_step: int = key(1, "Number of the first step of the first epoch.")
    missing_steps: Literal["refuse", "allow"] = key(
        "refuse", "What to do where the log lacks a step: its problems lack that epoch."
    )
    visits: Literal["once", "any"] = key(
        "once",
        "`once`: a problem is sampled in one step of an epoch, and a log that does otherwise is "
        "refused, for `steps_per_epoch` is then mostly wrong. `any`: its visits within an epoch "
        "are pooled.",
    )
    bad_rows: BadRows = "refuse"


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
