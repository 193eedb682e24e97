"""Which rows are correct: from what the log says, with every value that was met shown.

A reward is not correctness. Where the log says itself whether a response is correct, that counts;
else the reward tells, where its values leave no doubt. What cannot be known is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from limr.core.errors import InputError
from limr.trajectories.curves import Flags, Floats
from limr.trajectories.findings import Findings
from limr.trajectories.log import MISSING, NOT_FINITE, NUMBER, OTHER, Column, Log

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
    if reward is None and own is None:
        raise InputError("the log has no column of rewards, nor one that says what is correct.")
    numbers = reward.values if reward is not None else np.full(len(log), np.nan)
    if options["correct_above"] is not None:
        return _above(log, reward or own, float(options["correct_above"]), numbers, options, found)
    if own is not None:
        return _own(log, own, reward, numbers, options, found)
    assert reward is not None
    correct = _by_scheme(reward, options, log.taken["reward"])
    return _verdicts(log, reward, correct, log.taken["reward"], numbers, options, found)


def _above(
    log: Log, column: Column | None, limit: float, numbers: Floats, options: Any, found: Findings
) -> Verdicts:
    assert column is not None
    name = log.taken["reward" if column is log.reward else "correct"]
    with np.errstate(invalid="ignore"):
        correct = column.values > limit
    return _verdicts(log, column, correct, name, numbers, options, found)


def _own(
    log: Log, own: Column, reward: Column | None, numbers: Floats, options: Any, found: Findings
) -> Verdicts:
    """Return what the log itself says, and the reward's word where it says nothing."""
    name = log.taken["correct"]
    says = own.kinds == NUMBER
    binary = _among(own.values, (0.0, 1.0))
    if (says & ~binary).any():
        raise _doubt(own, name, "it is neither true nor false in some rows, such as a share of tests")
    correct = own.values > 0.5
    silent = ~says
    if silent.any() and reward is not None and (reward.kinds[silent] == NUMBER).all():
        part = Column(reward.values[silent], reward.kinds[silent], reward.met)
        correct = correct.copy()
        correct[silent] = _by_scheme(part, options, log.taken["reward"])
        column = Column(np.where(says, own.values, np.where(correct, 1.0, 0.0)),
                        np.where(says, own.kinds, NUMBER).astype(np.int8), own.met)  # fmt: skip
        found.add(
            "correct-by-reward",
            f"in {int(silent.sum()):,} rows '{name}' says neither true nor false; there "
            f"'{log.taken['reward']}' tells.", count=int(silent.sum()),
            where=log.where(int(np.argmax(silent))),
        )  # fmt: skip
    else:
        column = own
    return _verdicts(log, column, correct, name, numbers, options, found, own.met)


def _by_scheme(column: Column, options: Mapping[str, Any], name: str) -> Flags:
    """Return (n_rows,) which rewards mean correct, where their values leave no doubt.

    Raises:
        InputError: they do.
    """
    numbers = column.values[column.kinds == NUMBER]
    right, others = options["correct_rewards"], options["other_rewards"]
    if others is not None and not _among(numbers, (*right, *others)).all():
        listed = ", ".join(f"{value:g}" for value in (*right, *others))
        raise _doubt(column, name, f"some are none of the rule's, which are {listed} "
                                   "(`correct_rewards`, `other_rewards`)")  # fmt: skip
    return _among(column.values, right)


def _among(values: Floats, allowed: tuple[float, ...] | list[float]) -> Flags:
    found: Flags = np.zeros(len(values), bool)
    for value in allowed:
        found |= np.abs(values - value) <= _NEAR * max(1.0, abs(value))
    return found


def table(column: Column) -> list[tuple[str, int]]:
    """Return the values met and in how many rows, most first; of many, a summary."""
    if column.met:
        return sorted(column.met.items(), key=lambda item: (-item[1], item[0]))
    numbers = column.values[column.kinds == NUMBER]
    low, high = float(numbers.min()), float(numbers.max())
    return [(f"{len(np.unique(numbers)):,} different numbers from {low:g} to {high:g}", len(numbers))]


def _doubt(column: Column, name: str, why: str) -> InputError:
    met = table(column)
    shown = "\n".join(f"  {value:>24}  {rows:,} rows" for value, rows in met[:_SHOWN])
    more = f"\n  … and {len(met) - _SHOWN} other values" if len(met) > _SHOWN else ""
    numbers = np.unique(np.round(column.values[column.kinds == NUMBER], 6))
    middle = (numbers[:-1] + numbers[1:]) / 2
    example = f"{middle[-1] if len(middle) < 4 else middle[len(middle) // 2]:g}" if len(middle) else "0.5"
    return InputError(
        f"'{name}' does not say which responses are correct: {why}.\n{shown}{more}\n"
        "Say from where on a response is correct: `correct_above: T` (on the command line "
        f"--correct-above {example}, for example), or name the column that tells: `reward: NAME`."
    )


def _verdicts(
    log: Log, column: Column, correct: Flags, name: str, numbers: Floats, options: Any,
    found: Findings, met: Any = None,
) -> Verdicts:  # fmt: skip
    usable = column.kinds == NUMBER
    missing = int((~usable).sum())
    if missing == len(usable):
        raise _doubt(column, name, "no row has a number there")
    if missing:
        _note_missing(log, column, name, options, found)
        if options["missing_scores"] == "wrong":
            usable, correct = np.ones(len(usable), bool), correct & usable
    taken = [(value, rows, _meaning(value, column, correct, options))
             for value, rows in (sorted(met.items(), key=lambda i: -i[1]) if met else table(column))]  # fmt: skip
    return Verdicts(correct, usable, numbers, name, taken)


def _note_missing(log: Log, column: Column, name: str, options: Any, found: Findings) -> None:
    counts = {"null": MISSING, "NaN or infinite": NOT_FINITE, "no number": OTHER}
    shown = ", ".join(f"{int((column.kinds == kind).sum()):,} {word}"
                      for word, kind in counts.items() if (column.kinds == kind).any())  # fmt: skip
    bad = column.kinds != NUMBER
    what = "count as wrong" if options["missing_scores"] == "wrong" else (
        "are left out. If a failed grading means a wrong answer, pass rates are too high: "
        "`missing_scores: wrong` counts them as wrong")  # fmt: skip
    found.add("missing-scores", f"'{name}' is missing in {int(bad.sum()):,} rows ({shown}); they "
              f"{what}.", "warning", int(bad.sum()), log.where(int(np.argmax(bad))))  # fmt: skip


def _meaning(value: str, column: Column, correct: Flags, options: Mapping[str, Any]) -> str:
    """Return what a value was taken for, by the rows that have it."""
    from limr.trajectories.log import _number

    number, kind, _ = _number(_unquoted(value))
    if kind != NUMBER:
        return "wrong" if options["missing_scores"] == "wrong" else "left out"
    rows = (column.kinds == NUMBER) & (np.abs(column.values - number) <= _NEAR * max(1.0, abs(number)))
    if not rows.any():
        return f"correct in {int(correct.sum()):,} rows"
    share = correct[rows]
    return "correct" if share.all() else "wrong" if not share.any() else "both"


def _unquoted(value: str) -> str | None:
    return None if value == "null" else value.strip("'\"")
