"""Which rows are correct: from what the log says, with every value that was met shown.

A reward is not correctness. Where the log says itself whether a response is correct, that counts;
else the reward tells, where its values leave no doubt. What cannot be known is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from limr.core.errors import InputError
from limr.trajectories.curves import Flags, Floats, Ints
from limr.trajectories.findings import Findings
from limr.trajectories.log import Column, Log
from limr.trajectories.numbers import MISSING, NOT_FINITE, NUMBER, OTHER, as_numbers, number_of

_NEAR = 1e-6  # rewards in single precision
_SHOWN = 12


@dataclass(frozen=True)
class Verdicts:
    """What was decided.

    Attributes:
        told: (n_rows,) the column that told.
        right: (n_values,) which of its values mean correct.
        known: (n_values,) which of its values say anything.
        reward: (n_rows,) the rewards; None where the log has none.
        column: the name of the column that told.
        values: (value as the log writes it, rows, what it was taken for), most rows first.
    """

    told: Column
    right: Flags
    known: Flags
    reward: Column | None
    column: str
    values: list[tuple[str, int, str]]

    @property
    def usable(self) -> Flags:
        """(n_rows,) whether it is known if a response is correct."""
        found: Flags = self.known[self.told.codes]
        return found

    @property
    def correct(self) -> Flags:
        """(n_rows,) whether a response is correct; meaningless where not `usable`."""
        found: Flags = self.right[self.told.codes]
        return found

    def of(self, rows: Flags) -> Verdicts:
        """Return those of some rows."""
        reward = None if self.reward is None else self.reward.of(rows)
        return replace(self, told=self.told.of(rows), reward=reward)

    def sums(self, log: Log) -> tuple[Ints, Ints, Floats]:
        """Return (n_blocks,) usable rows, correct ones, and the sum of their rewards."""
        n, n_correct = (log.sums(self.told, of) for of in (self.known, self.known & self.right))
        if self.reward is None:
            return n, n_correct, np.full(len(log), np.nan)
        if (self.known | (self.told.counts == 0)).all():
            return n, n_correct, log.sums(self.reward, self.reward.values)
        block = log.per_row(np.arange(len(log)))
        values = np.where(self.usable, self.reward.row_values, 0.0)
        reward: Floats = np.bincount(block, weights=values, minlength=len(log)).astype(np.float64)
        return n, n_correct, reward


def decide(log: Log, options: Mapping[str, Any], found: Findings) -> Verdicts:
    """Return which rows are correct.

    Args:
        log: the rows.
        options: `correct_rewards`, `other_rewards`, `correct_above`, `missing_scores`.
        found: takes what is noticed.

    Raises:
        InputError: the values leave a doubt; the message has a table of them.
    """
    reward, own = log.reward, log.correct
    if own is not None and not len(_numbers(own)):
        own = None
    told = own if reward is None else reward
    if told is None:
        raise InputError("the log has no column of rewards, nor one that says what is correct.")
    if options["correct_above"] is not None:
        column, name = told, log.taken["correct" if reward is None else "reward"]
        with np.errstate(invalid="ignore"):
            right: Flags = np.asarray(told.values > float(options["correct_above"]))
    elif own is not None:
        column, right, name = *_own(log, own, options, found), log.taken["correct"]
    else:
        column, right, name = told, _by_scheme(told, options, log), log.taken["reward"]
    if not len(_numbers(column)):
        raise _doubt(column, name, "no row has a number there")
    known, right = _without_missing(log, column, right, name, options, found)
    shown = own.met if own is not None and column is not told else column.met
    values = _meanings(column, shown, right, options)
    return Verdicts(column, right, known, reward, name, values)


def _numbers(column: Column) -> Floats:
    """Return the numbers that occur, each at least once."""
    found: Floats = column.values[(column.kinds == NUMBER) & (column.counts > 0)]
    return found


def _lacking(column: Column) -> Flags:
    """Return (n_values,) which values occur and are no numbers."""
    found: Flags = (column.kinds != NUMBER) & (column.counts > 0)
    return found


def _own(
    log: Log, own: Column, options: Mapping[str, Any], found: Findings
) -> tuple[Column, Flags]:
    """Return what the log itself says, and the reward's word where it says nothing."""
    name, reward = log.taken["correct"], log.reward
    if not _among(_numbers(own), (0.0, 1.0)).all():
        why = "it is neither true nor false in some rows, such as a share of tests"
        raise _doubt(own, name, why)
    right: Flags = np.asarray(own.values > 0.5)
    if reward is None or not _lacking(own).any():
        return own, right
    silent = _lacking(own)[own.codes]
    part = reward.of(silent)
    if _lacking(part).any():
        return own, right
    correct = right[own.codes]
    correct[silent] = _by_scheme(part, options, log)[part.codes]
    n = int(silent.sum())
    found.add(
        "correct-by-reward",
        f"in {n:,} rows '{name}' says neither true nor false; there '{log.taken['reward']}' tells.",
        count=n,
        where=log.where_row(int(np.argmax(silent))),
    )
    both = as_numbers(correct.tolist())
    return Column(both.codes, both.values, both.kinds, both.shown, own.met), both.values > 0.5


def _by_scheme(column: Column, options: Mapping[str, Any], log: Log) -> Flags:
    """Return (n_values,) which rewards mean correct, where their values leave no doubt.

    Raises:
        InputError: they do.
    """
    right, others = options["correct_rewards"], options["other_rewards"]
    if others is not None and not _among(_numbers(column), (*right, *others)).all():
        listed = ", ".join(f"{value:g}" for value in (*right, *others))
        why = (
            f"some are none of the rule's, which are {listed} (`correct_rewards`, `other_rewards`)"
        )
        raise _doubt(column, log.taken["reward"], why)
    return _among(column.values, right)


def _among(values: Floats, allowed: Sequence[float]) -> Flags:
    found: Flags = np.zeros(len(values), bool)
    for value in allowed:
        found |= np.abs(values - value) <= _NEAR * max(1.0, abs(value))
    return found


def _without_missing(
    log: Log,
    column: Column,
    right: Flags,
    name: str,
    options: Mapping[str, Any],
    found: Findings,
) -> tuple[Flags, Flags]:
    """Return (n_values,) which values are a verdict, and which of them mean correct."""
    bad = column.kinds != NUMBER
    missing = int(column.counts[bad].sum())
    if not missing:
        return ~bad, right
    words = {"null": MISSING, "NaN or infinite": NOT_FINITE, "no number": OTHER}
    counts = {word: int(column.counts[column.kinds == kind].sum()) for word, kind in words.items()}
    shown = ", ".join(f"{n:,} {word}" for word, n in counts.items() if n)
    wrong = options["missing_scores"] == "wrong"
    what = (
        "count as wrong"
        if wrong
        else "are left out. If a failed grading means a wrong answer, pass rates are too high: "
        "`missing_scores: wrong` counts them as wrong"
    )
    found.add(
        "missing-scores",
        f"'{name}' is missing in {missing:,} rows ({shown}); they {what}.",
        "warning",
        missing,
        log.where_row(int(np.argmax(bad[column.codes]))),
    )
    return (np.ones(len(bad), bool), right & ~bad) if wrong else (~bad, right)


def _met(column: Column, met: Counter[str]) -> list[tuple[str, int]]:
    """Return the values met and in how many rows, most first; of many, a summary."""
    if met:
        return sorted(met.items(), key=lambda item: (-item[1], item[0]))
    numbers = _numbers(column)
    span = f"from {numbers.min():g} to {numbers.max():g}"
    rows = int(column.counts[column.kinds == NUMBER].sum())
    return [(f"{len(np.unique(numbers)):,} different numbers {span}", rows)]


def _meanings(
    column: Column, met: Counter[str], right: Flags, options: Mapping[str, Any]
) -> list[tuple[str, int, str]]:
    """Return (value, rows, what it was taken for), by the rows that have it."""
    found = []
    occurs = (column.kinds == NUMBER) & (column.counts > 0)
    for value, rows in _met(column, met):
        number, kind, _ = number_of(None if value == "null" else value.strip("'\""))
        here = occurs & _among(column.values, (number,))
        if not met:
            taken = f"correct in {int(column.counts[right].sum()):,} rows"
        elif kind == NUMBER and here.any():
            taken = "correct" if right[here].all() else "wrong"
        elif not _lacking(column).any():
            taken = "the reward tells"
        else:
            taken = "wrong" if options["missing_scores"] == "wrong" else "left out"
        found.append((value, rows, taken))
    return found


def _doubt(column: Column, name: str, why: str) -> InputError:
    met = _met(column, column.met) if len(_numbers(column)) else list(column.met.items())
    shown = "\n".join(f"  {value:>24}  {rows:,} rows" for value, rows in met[:_SHOWN])
    more = f"\n  … and {len(met) - _SHOWN} other values" if len(met) > _SHOWN else ""
    numbers = np.unique(np.round(_numbers(column), 6))
    between = (numbers[:-1] + numbers[1:]) / 2
    example = between[-1] if 0 < len(between) < 4 else 0.5 * (numbers.max() if len(numbers) else 1)
    return InputError(
        f"'{name}' does not say which responses are correct: {why}.\n{shown}{more}\n"
        "Say from where on a response is correct: `correct_above: T` (on the command line "
        f"--correct-above {example:g}, for example), or name the column that tells: "
        "`reward: NAME`."
    )
