"""The trainer's reward against limr's grader: how often right answers are rewarded, and wrong ones.

Youden's J is the difference of the two rates; where it is not above 0, the reward teaches nothing
(arXiv 2601.04411).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from limr.look.answers import NO_ANSWER, Answers
from limr.look.judge import Judge
from limr.statistics.intervals import wilson
from limr.trajectories.curves import Flags, Floats, Ints
from limr.trajectories.rollout_rows import Rollouts

if TYPE_CHECKING:
    from limr.look.audit import Report

_FEWEST, _PROMPTS = 20, 5  # right and wrong answers, and prompts of each, that rates need
BOXED = 0.5  # share of rewarded responses that must have their answer in a box
MUCH = 0.02  # share of wrong rewards from which on (surely) it is a warning
_ROWS = 200  # of evidence


@dataclass(frozen=True)
class Rate:
    """A rate with its interval at 95 %, over prompts."""

    rate: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return it for a sentence."""
        return f"{self.rate:.1%} ({self.low:.1%} to {self.high:.1%})"


def check(
    rollouts: Rollouts,
    found: Answers,
    usable: Flags,
    ids: Sequence[str],
    judge: Judge,
    report: Report,
) -> None:
    """Compare the trainer's verdicts with limr's grader's.

    Args:
        rollouts: the log's rows.
        found: the answers that were read.
        usable: (n answers,) rows with a usable gold answer and a whole response.
        ids: the problems' ids.
        judge: limr's grader.
        report: takes what is found.
    """
    sample = (found.weight > 0) & usable
    boxed, bare = sample & (found.answer >= 0), sample & (found.answer == NO_ANSWER)
    paid = int((boxed & found.correct).sum()), int((bare & found.correct).sum())
    if sum(paid) and paid[0] < BOXED * sum(paid):
        report.not_checked(
            "reward", f"{paid[1]:,} of {sum(paid):,} rewarded responses that were read have no "
            "answer in a box, where limr's grader looks for it"
        )  # fmt: skip
        return
    rows = np.flatnonzero(boxed)
    keys = zip(found.gold[rows], found.answer[rows], strict=True)
    pairs = [(found.golds[gold], found.texts[answer]) for gold, answer in keys]
    told = judge.judge(pairs)
    _say_unread(found, rows[[pair in judge.unread for pair in pairs]], ids, report)
    known = np.array([one is not None for one in told], bool)
    rows, right = rows[known], np.array([one for one in told if one is not None], bool)
    prompts = [len(np.unique(found.problem[rows[part]])) for part in (right, ~right)]
    if min(right.sum(), (~right).sum()) < _FEWEST or min(prompts) < _PROMPTS:
        report.not_checked("reward", f"only {int(right.sum()):,} right and {int((~right).sum()):,} "
                           "wrong answers could be graded, or of too few prompts")  # fmt: skip
        return
    paid_rows = found.correct[rows]
    rates = [rate(paid_rows[part], found.weight[rows[part]], found.problem[rows[part]])
             for part in (right, ~right)]  # fmt: skip
    sampled = len(rollouts.correct) > int((found.weight > 0).sum())
    _say(rates, len(rows), int((~known).sum()), paid[1], sampled, prompts, report)
    for code, which, share, what in (
        ("rewarded-although-wrong", ~right & paid_rows, rates[1], "wrong answers were"),
        ("unrewarded-although-right", right & ~paid_rows, _not(rates[0]), "right answers were not"),
    ):
        if which.any():
            table = examples(found, rows[which], ids)
            report.evidence[code] = table
            if share.low > MUCH:
                report.add(
                    code,
                    f"{share} of {what} rewarded, by limr's grader; such as "
                    f"'{table['answer'].iloc[0][:60]}' where the gold answer is "
                    f"'{table['gold'].iloc[0][:60]}'. Look which of the two is mistaken.",
                    "warning",
                    int(which.sum()),
                    table,
                )


def _say_unread(found: Answers, rows: Ints, ids: Sequence[str], report: Report) -> None:
    """Count what the grader has no reading for: it is neither right nor wrong here."""
    if len(rows):
        table = examples(found, rows, ids)
        report.add(
            "not-understood",
            f"{len(rows):,} responses have an answer that limr's grader does not understand, such "
            f"as '{table['answer'].iloc[0][:60]}'; they are left out of its rates, and in a study "
            "they count as incorrect.",
            "info",
            len(rows),
            table,
        )


def _not(one: Rate) -> Rate:
    return Rate(1 - one.rate, 1 - one.high, 1 - one.low)


def _say(
    rates: Sequence[Rate], graded: int, unknown: int, no_box: int, sampled: bool,
    prompts: Sequence[int], report: Report,
) -> None:  # fmt: skip
    """Say the rates and Youden's J, and warn where J may be 0."""
    true, false = rates
    j = youden(true, false)
    notes = [
        f"{graded:,} responses{' (a sample)' if sampled else ''}",
        *([f"{unknown:,} more could not be graded"] if unknown else []),
        *([f"{no_box:,} rewarded ones have no answer in a box and are left out"] if no_box else []),
    ]
    table = pd.DataFrame(
        [(name, one.rate, one.low, one.high, of) for name, one, of in (
            ("rewarded if right", true, prompts[0]), ("rewarded if wrong", false, prompts[1]),
            ("Youden's J", j, min(prompts)))],
        columns=["what", "rate", "low", "high", "prompts"],
    )  # fmt: skip
    text = (
        f"the trainer's verdict against limr's grader: {true} of right answers are rewarded, "
        f"{false} of wrong ones; Youden's J {j.rate:.2f} ({j.low:.2f} to {j.high:.2f}), over "
        f"{', '.join(notes)}."
    )
    report.add("reward-agreement", text, "info", graded, table)
    if j.low <= 0:
        report.add(
            "reward-uninformative",
            f"right answers are not surely rewarded more often than wrong ones (Youden's J "
            f"{j.rate:.2f}, {j.low:.2f} to {j.high:.2f}): nothing can be learned from such a "
            "reward. Is it the right column, and are the gold answers those of this log?",
            "warning",
            graded,
            table,
        )


def rate(rewarded: Flags, weight: Floats, problem: Ints) -> Rate:
    """Return the weighted share of rewarded rows, with Wilson's interval over prompts.

    The rows of a prompt are not independent: the interval is that of as many independent rows as
    would have the same standard error, of as many as there are prompts where all rows are alike.
    """
    total = weight.sum()
    share = float((weight * rewarded).sum() / total)
    parts = np.bincount(np.unique(problem, return_inverse=True)[1], weight * (rewarded - share))
    n = len(parts)
    variance = float((parts**2).sum() / total**2) * n / max(n - 1, 1)
    like = share * (1 - share) / variance if variance > 0 and 0 < share < 1 else n
    size = max(1, min(len(rewarded), math.floor(like)))
    share = min(max(share, 0.0), 1.0)
    return Rate(share, *wilson(share * size, size))


def youden(true: Rate, false: Rate) -> Rate:
    """Return Youden's J with Newcombe's interval of a difference."""
    j = true.rate - false.rate
    low = math.hypot(true.rate - true.low, false.high - false.rate)
    high = math.hypot(true.high - true.rate, false.rate - false.low)
    return Rate(j, max(-1.0, j - low), min(1.0, j + high))


def examples(found: Answers, rows: Ints, ids: Sequence[str]) -> pd.DataFrame:
    """Return prompts and answers, the most frequent first."""
    keys = np.stack([found.problem[rows], found.gold[rows], found.answer[rows]])
    kinds, first, counts = np.unique(keys, axis=1, return_index=True, return_counts=True)
    order = np.lexsort((first, -counts))[:_ROWS]
    return pd.DataFrame(
        {
            "problem_id": [ids[kinds[0, at]] for at in order],
            "gold": [found.golds[kinds[1, at]] for at in order],
            "answer": [found.written(int(kinds[2, at])) for at in order],
            "n": counts[order],
            "example": [found.texts[kinds[2, at]] for at in order],
        }
    )
