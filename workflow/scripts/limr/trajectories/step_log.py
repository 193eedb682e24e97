"""Reading logs of training steps that know prompts by their text: one way for all such formats.

An importer yields parts (`Rows`), each the rows of one step; this module joins them to problems,
decides what is correct, finds the epoch and counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.core.validation import Keys, Number, key
from limr.trajectories.counts import Counts
from limr.trajectories.curves import Flags, Floats, Ints
from limr.trajectories.prompt_index import PromptIndex
from limr.trajectories.reading import UNKNOWN_PROMPT, BadRows, Imported, Refusals, coverage

UNKNOWN_REWARD = "its reward is none of the rule's"
NO_NUMBER = "its reward is not a finite number"
_ENOUGH = 3  # examples in a message


OtherRewards = Annotated[
    list[Number] | None,
    Field(
        description="Rewards that mean a response that is not correct; any further reward cannot "
        "be used. null: every other number."
    ),
]


class Options(Keys):
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


@dataclass(frozen=True)
class Rows:
    """Rows of one step.

    Attributes:
        step: the step.
        prompts: (n_distinct,) texts, each once.
        which: (n_rows,) place of each row's prompt among them (see `distinct`).
        rewards: (n_rows,) numbers.
        correct: (n_rows,) flags of the log itself; None: the reward tells.
        place: number of a row in this part, from 0 -> where it is, for messages.
    """

    step: int
    prompts: Sequence[str]
    which: Ints
    rewards: Floats
    place: Callable[[int], str]
    correct: Flags | None = None


def distinct(texts: Sequence[str]) -> tuple[list[str], Ints]:
    """Return texts once each, in the order in which they come, and (n_texts,) which is which."""
    places: dict[str, int] = {}
    which = np.array([places.setdefault(text, len(places)) for text in texts], np.int64)
    return list(places), which


def read(
    parts: Iterable[Rows | tuple[str, int, str]],
    problems: Sequence[Problem] | None,
    settings: Mapping[str, Any],
    where: str,
) -> Imported:
    """Count a log.

    Args:
        parts: the rows, a step (or a part of one) at a time; or (reason, rows, place of the first)
            of rows that could not be read.
        problems: the problems that were trained on; None: every text is a problem.
        settings: see `Options`.
        where: the log, for messages.

    Raises:
        InputError: no `steps_per_epoch`, a step before the first one, a problem that was visited
            twice in an epoch, steps that are lacking, no whole epoch, nothing that was joined, or
            see `Refusals.add`.
    """
    if settings["steps_per_epoch"] is not None:  # else the first step's size makes a better message
        check(settings)
    log = _StepLog(problems, settings, where)
    for part in parts:
        if isinstance(part, Rows):
            log.add(part)
        else:
            log.rows_read += part[1]
            log.refusals.add(*part)
    return log.finish()


class _StepLog:
    """Counts the rows of a log of steps; see `read`."""

    def __init__(
        self, problems: Sequence[Problem] | None, settings: Mapping[str, Any], where: str
    ) -> None:
        self.settings, self.where = settings, where
        self.refusals = Refusals(settings["bad_rows"])
        self.rows_read = self.rows_joined = 0
        self._n_given = len(problems or ())
        self._prompts = PromptIndex(problems)
        self._counts = Counts()
        self._steps: set[int] = set()
        self._last_step: dict[int, int] = {}  # problem -> the step that sampled it last

    def add(self, rows: Rows) -> None:
        """Count the rows of a step."""
        self.rows_read += len(rows.which)
        number = self._prompts.find(rows.prompts)[rows.which]
        good = self._usable(rows, number)
        number, rewards = number[good], rows.rewards[good]
        epoch = self._epoch(rows, number)
        self._steps.add(rows.step)
        self._check_visits(number, epoch, rows)
        right = self.settings["correct_rewards"]
        correct = _among(rewards, right) if rows.correct is None else rows.correct[good]
        one = np.ones(len(number), np.int64)
        self._counts.add(number, epoch * one, one, correct, rewards)
        self.rows_joined += len(number)

    def _usable(self, rows: Rows, number: Ints) -> Flags:
        """Return (n_rows,) which rows can be counted; the others are refused or noted."""
        finite = np.isfinite(rows.rewards)
        known = np.ones(len(number), bool)
        rewards = [*self.settings["correct_rewards"], *(self.settings["other_rewards"] or [])]
        if self.settings["other_rewards"] is not None and rows.correct is None:
            known = _among(rows.rewards, rewards)
        listed = ", ".join(f"{value:g}" for value in rewards)
        for bad, reason, hint in (
            (~finite, NO_NUMBER, ""),
            (
                finite & ~known,
                UNKNOWN_REWARD,
                f"They are {listed} (`correct_rewards`, `other_rewards`).",
            ),
            (number < 0, UNKNOWN_PROMPT, "Is it the log of another data set?"),
        ):
            if bad.any():
                first = int(np.argmax(bad))
                prompt = rows.prompts[rows.which[first]][:60]
                place = f"{rows.place(first)} (reward {rows.rewards[first]:g}, prompt {prompt!r})"
                self.refusals.add(reason, int(bad.sum()), place, hint)
        return finite & known & (number >= 0)

    def _epoch(self, rows: Rows, number: Ints) -> int:
        size, first = self.settings["steps_per_epoch"], self.settings["first_step"]
        if size is None:
            n_prompts = len(np.unique(number))
            of = f" of {self._n_given:,} problems" if self._n_given else ""
            guess = ""
            if 0 < n_prompts <= self._n_given:
                guess = f", so perhaps {self._n_given // n_prompts}"
            raise InputError(
                f"{self.where}: steps_per_epoch is needed: this log knows steps, not epochs. Step "
                f"{rows.step} has {n_prompts:,} prompts{of}{guess}."
            )
        if rows.step < first:
            raise InputError(
                f"{rows.place(0)}: step {rows.step} lies before the first one, {first}. If the log "
                f"counts from {rows.step}, set `first_step: {rows.step}`."
            )
        return int((rows.step - first) // size)

    def _check_visits(self, number: Ints, epoch: int, rows: Rows) -> None:
        """Refuse a problem that an earlier step of the epoch has sampled, unless all are pooled."""
        size = self.settings["steps_per_epoch"]
        begin = self.settings["first_step"] + epoch * size
        here = np.unique(number).tolist()
        last = {problem: self._last_step.get(problem, begin - 1) for problem in here}
        self._last_step.update(dict.fromkeys(here, rows.step))
        shared = self._prompts.namesakes.values()
        twice = [p for p in here if last[p] >= begin and last[p] != rows.step and p not in shared]
        if twice and self.settings["visits"] == "once":
            raise InputError(
                f"{rows.place(0)}: problem '{self._prompts.problem_ids[twice[0]].as_py()}' was "
                f"sampled in step {last[twice[0]]} and again in step {rows.step}, in one epoch of "
                f"{size} steps ({len(twice)} such problems in this step). Is steps_per_epoch "
                "wrong? `visits: any` pools visits within an epoch."
            )

    def finish(self) -> Imported:
        """Return what was counted."""
        notes = self._whole_epochs()
        ids = self._prompts.problem_ids
        table = self._counts.table(ids)
        notes = [*self._prompts.notes(), *coverage(table, len(ids)), *notes]
        refused, prompts = self.refusals.refused, self._prompts.made
        return Imported(ids, table, self.rows_read, self.rows_joined, refused, notes, prompts)

    def _whole_epochs(self) -> list[str]:
        """Leave out a last epoch that the log does not hold whole, and say so."""
        if not self._steps:
            raise InputError(f"{self.where}: no rows in it.")
        size, first = int(self.settings["steps_per_epoch"]), int(self.settings["first_step"])
        last = max(self._steps)
        lacking = sorted(set(range(first, last + 1)) - self._steps)
        if lacking and self.settings["missing_steps"] == "refuse":
            shown = ", ".join(map(str, lacking[:_ENOUGH])) + (" …" if lacking[_ENOUGH:] else "")
            raise InputError(
                f"{self.where}: step {shown} is lacking ({len(lacking)} of the steps {first} to "
                f"{last}): the problems of such a step would lack an epoch. Complete the log, or "
                "set `missing_steps: allow`."
            )
        notes = []
        if lacking:
            notes.append(f"{len(lacking)} steps are lacking; their problems lack that epoch.")
        over = (last - first + 1) % size
        if over:
            if last - first + 1 < size:
                raise InputError(
                    f"{self.where}: {over} steps are less than one epoch of {size} steps. Is "
                    "steps_per_epoch wrong?"
                )
            self._counts.drop_from((last - first) // size)
            notes.append(
                f"the last {over} steps begin an epoch of {size} steps and are left out: it is not "
                "whole."
            )
        return notes


def _among(values: Floats, allowed: Sequence[float]) -> Flags:
    """Return which values are one of a few numbers, as written in double or in single precision."""
    both = np.concatenate([np.array(allowed, np.float64), np.array(allowed, np.float32)])
    return np.isin(values, both)
