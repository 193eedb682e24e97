"""Which rows are correct: from what the log says, with every value that was met shown.

A reward is not correctness. Where the log says itself whether a response is correct, that counts;
else the reward tells, where its values leave no doubt. What cannot be known is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from limr.core.errors import InputError
from limr.trajectories.curves import Flags, Floats
from limr.trajectories.findings import Findings
from limr.trajectories.log import Column, Log
from limr.trajectories.numbers import MISSING, NOT_FINITE, NUMBER, OTHER, number_of

_NEAR = 1e-6  # rewards in single precision
_SHOWN = 12


@dataclass(frozen=True)
class Verdicts:
    """What was decided.

    Attributes:
        correct: (n_rows,) whether a response is correct; meaningless where not `usable`.
        usable: (n_rows,) whether that is known.
        reward: (n_rows,) rewards; NaN where the log has none.
        column: the column that told.
        values: (value as the log writes it, rows, what it was taken for), most rows first.
    """

    correct: Flags
    usable: Flags
    reward: Floats
    column: str
    values: list[tuple[str, int, str]]


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
    if own is not None and not (own.kinds == NUMBER).any():
        own = None
    told = own if reward is None else reward
    if told is None:
        raise InputError("the log has no column of rewards, nor one that says what is correct.")
    if options["correct_above"] is not None:
        column, name = told, log.taken["correct" if reward is None else "reward"]
        with np.errstate(invalid="ignore"):
            correct: Flags = np.asarray(told.values > float(options["correct_above"]))
    elif own is not None:
        column, correct, name = *_own(log, own, options, found), log.taken["correct"]
    else:
        column, correct, name = told, _by_scheme(told, options, log), log.taken["reward"]
    if not (column.kinds == NUMBER).any():
        raise _doubt(column, name, "no row has a number there")
    usable, correct = _without_missing(log, column, correct, name, options, found)
    numbers = np.full(len(log), np.nan) if reward is None else reward.values
    shown = own.met if own is not None and column is not told else column.met
    return Verdicts(correct, usable, numbers, name, _meanings(column, shown, correct, options))


def _own(
    log: Log, own: Column, options: Mapping[str, Any], found: Findings
) -> tuple[Column, Flags]:
    """Return what the log itself says, and the reward's word where it says nothing."""
    name, reward = log.taken["correct"], log.reward
    says = own.kinds == NUMBER
    if (says & ~_among(own.values, (0.0, 1.0))).any():
        why = "it is neither true nor false in some rows, such as a share of tests"
        raise _doubt(own, name, why)
    correct: Flags = np.asarray(own.values > 0.5)
    silent = ~says
    if not silent.any() or reward is None or not (reward.kinds[silent] == NUMBER).all():
        return own, correct
    part = Column(reward.values[silent], reward.kinds[silent], reward.met)
    correct[silent] = _by_scheme(part, options, log)
    n = int(silent.sum())
    found.add(
        "correct-by-reward",
        f"in {n:,} rows '{name}' says neither true nor false; there '{log.taken['reward']}' tells.",
        count=n,
        where=log.where(int(np.argmax(silent))),
    )
    return Column(correct.astype(float), np.full(len(log), NUMBER, np.int8), own.met), correct


def _by_scheme(column: Column, options: Mapping[str, Any], log: Log) -> Flags:
    """Return (n_rows,) which rewards mean correct, where their values leave no doubt.

    Raises:
        InputError: they do.
    """
    right, others = options["correct_rewards"], options["other_rewards"]
    numbers = column.values[column.kinds == NUMBER]
    if others is not None and not _among(numbers, (*right, *others)).all():
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
    correct: Flags,
    name: str,
    options: Mapping[str, Any],
    found: Findings,
) -> tuple[Flags, Flags]:
    """Return (n_rows,) which rows have a verdict, and the verdicts; say what is missing."""
    bad = column.kinds != NUMBER
    if not bad.any():
        return ~bad, correct
    words = {"null": MISSING, "NaN or infinite": NOT_FINITE, "no number": OTHER}
    counts = {word: int((column.kinds == kind).sum()) for word, kind in words.items()}
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
        f"'{name}' is missing in {int(bad.sum()):,} rows ({shown}); they {what}.",
        "warning",
        int(bad.sum()),
        log.where(int(np.argmax(bad))),
    )
    return (np.ones(len(bad), bool), correct & ~bad) if wrong else (~bad, correct)


def _met(column: Column, met: Counter[str]) -> list[tuple[str, int]]:
    """Return the values met and in how many rows, most first; of many, a summary."""
    if met:
        return sorted(met.items(), key=lambda item: (-item[1], item[0]))
    numbers = column.values[column.kinds == NUMBER]
    span = f"from {numbers.min():g} to {numbers.max():g}"
    return [(f"{len(np.unique(numbers)):,} different numbers {span}", len(numbers))]


def _meanings(
    column: Column, met: Counter[str], correct: Flags, options: Mapping[str, Any]
) -> list[tuple[str, int, str]]:
    """Return (value, rows, what it was taken for), by the rows that have it."""
    found = []
    for value, rows in _met(column, met):
        number, kind, _ = number_of(None if value == "null" else value.strip("'\""))
        here = (column.kinds == NUMBER) & _among(column.values, (number,))
        if not met:
            taken = f"correct in {int(correct.sum()):,} rows"
        elif kind == NUMBER and here.any():
            taken = "correct" if correct[here].all() else "wrong"
        elif len(column.kinds) and (column.kinds == NUMBER).all():
            taken = "the reward tells"
        else:
            taken = "wrong" if options["missing_scores"] == "wrong" else "left out"
        found.append((value, rows, taken))
    return found


def _doubt(column: Column, name: str, why: str) -> InputError:
    met = _met(column, column.met) if (column.kinds == NUMBER).any() else list(column.met.items())
    shown = "\n".join(f"  {value:>24}  {rows:,} rows" for value, rows in met[:_SHOWN])
    more = f"\n  … and {len(met) - _SHOWN} other values" if len(met) > _SHOWN else ""
    numbers = np.unique(np.round(column.values[column.kinds == NUMBER], 6))
    between = (numbers[:-1] + numbers[1:]) / 2
    example = between[-1] if 0 < len(between) < 4 else 0.5 * (numbers.max() if len(numbers) else 1)
    return InputError(
        f"'{name}' does not say which responses are correct: {why}.\n{shown}{more}\n"
        "Say from where on a response is correct: `correct_above: T` (on the command line "
        f"--correct-above {example:g}, for example), or name the column that tells: "
        "`reward: NAME`."
    )
