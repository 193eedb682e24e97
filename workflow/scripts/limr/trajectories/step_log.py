"""Reading logs of training steps that know prompts by their text: one way for all such formats.

An importer yields parts (`Rows`), each the rows of one step; this module joins them to problems,
decides what is correct, finds the epoch and counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.trajectories.counts import Counts
from limr.trajectories.curves import Flags, Floats, Ints
from limr.trajectories.prompt_index import PromptIndex
from limr.trajectories.reading import UNKNOWN_PROMPT, Imported, Refusals, coverage
from limr.trajectories.step_log_options import check

UNKNOWN_REWARD = "its reward is none of the rule's"
NO_NUMBER = "its reward is not a finite number"
_ENOUGH = 3  # examples in a message


@dataclass(frozen=True)
class Rows:
    """Rows of one step.

    Attributes:
        step: the step.
        prompts: (n_distinct,) texts, each once.
        which: (n_rows,) place of each row's prompt among them (see `distinct`).
        rewards: (n_rows,) numbers.
        correct: (n_rows,) where the log says so itself; None: the reward tells.
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


class StepLog:
    """Counts the rows of a log of steps; see `read`."""

    def __init__(
        self, problems: Sequence[Problem] | None, settings: Mapping[str, Any], where: str
    ) -> None:
        self.settings, self.where = settings, where
        self.refusals = Refusals(settings["bad_rows"])
        self._n_given = len(problems) if problems is not None else None
        self._prompts = PromptIndex(problems)
        self._counts = Counts()
        self._steps: set[int] = set()
        self._rows_read = self._rows_joined = 0
        self._last_step: dict[int, int] = {}  # problem -> the step that sampled it last
        self._known = np.array([*settings["correct_rewards"], *(settings["other_rewards"] or [])])
        self._right = np.array(settings["correct_rewards"], float)

    def unreadable(self, reason: str, rows: int, first: str) -> None:
        """Note rows that could not be read at all.

        Raises:
            InputError: see `Refusals.add`.
        """
        self._rows_read += rows
        self.refusals.add(reason, rows, first)

    def add(self, rows: Rows) -> None:
        """Count the rows of a step.

        Raises:
            InputError: no `steps_per_epoch`, a step before the first one, a problem that was
                visited twice in an epoch, or see `Refusals.add`.
        """
        self._rows_read += len(rows.which)
        number = self._prompts.find(rows.prompts)[rows.which]
        good = self._usable(rows, number)
        epoch = self._epoch(rows, number[good])
        self._steps.add(rows.step)
        if not good.any():
            return
        number, rewards = number[good], rows.rewards[good]
        correct = _among(rewards, self._right) if rows.correct is None else rows.correct[good]
        self._check_visits(number, epoch, rows)
        one = np.ones(len(number), np.int64)
        self._counts.add(number, epoch * one, one, correct, rewards)
        self._rows_joined += len(number)

    def _usable(self, rows: Rows, number: Ints) -> Flags:
        finite = np.isfinite(rows.rewards)
        known = np.ones(len(number), bool)
        if self.settings["other_rewards"] is not None and rows.correct is None:
            known = _among(rows.rewards, self._known)
        rewards = ", ".join(f"{value:g}" for value in self._known)
        checks = (
            (~finite, NO_NUMBER, ""),
            (finite & ~known, UNKNOWN_REWARD, f"They are {rewards} (`correct_rewards`, "
             "`other_rewards`)."),
            (number < 0, UNKNOWN_PROMPT, "Is it the log of another data set?"),
        )  # fmt: skip
        for bad, reason, hint in checks:
            if bad.any():
                first = int(np.argmax(bad))
                shown = f"{rows.place(first)} (reward {rows.rewards[first]:g}, prompt "
                shown += f"{rows.prompts[rows.which[first]][:60]!r})"
                self.refusals.add(reason, int(bad.sum()), shown, hint)
        return finite & known & (number >= 0)

    def _epoch(self, rows: Rows, number: Ints) -> int:
        size, first = self.settings["steps_per_epoch"], self.settings["first_step"]
        if size is None:
            n_prompts = len(np.unique(number))
            of = f" of {self._n_given:,} problems" if self._n_given else ""
            guess = ""
            if self._n_given and 0 < n_prompts <= self._n_given:
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
        """Return what was counted.

        Raises:
            InputError: no steps, steps that are lacking, no whole epoch, or nothing was joined.
        """
        notes = self._whole_epochs()
        ids = self._prompts.problem_ids
        table = self._counts.table(ids)
        notes = [*self._prompts.notes(), *coverage(table, len(ids)), *notes]
        read, joined, refused = self._rows_read, self._rows_joined, self.refusals.refused
        return Imported(ids, table, read, joined, refused, notes, self._prompts.made)

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


def read(
    parts: Iterable[Rows | tuple[str, int, str]],
    problems: Sequence[Problem] | None,
    settings: Mapping[str, Any],
    where: str,
) -> Imported:
    """Count a log.

    Args:
        parts: the rows, a step (or a part of one) at a time; or (reason, rows, where the first
            is) of rows that could not be read.
        problems: the problems that were trained on; None: every text is a problem.
        settings: see `limr.trajectories.step_log_options.options`.
        where: the log, for messages.

    Raises:
        InputError: see `StepLog.add` and `StepLog.finish`.
    """
    if settings["steps_per_epoch"] is not None:  # else the first step's size makes a better message
        check(settings)
    log = StepLog(problems, settings, where)
    for part in parts:
        if isinstance(part, Rows):
            log.add(part)
        else:
            log.unreadable(*part)
    return log.finish()


def _among(values: Floats, allowed: Floats) -> Flags:
    """Return which values are one of a few numbers, as written in double or in single precision."""
    found = np.zeros(len(values), bool)
    for number in allowed:
        found |= (values == number) | (values == np.float64(np.float32(number)))
    return found
