"""Truncated responses: their share and its trend, where the log says which are truncated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from limr.core.errors import InputError
from limr.look.answers import Answers
from limr.statistics.intervals import wilson
from limr.trajectories import records
from limr.trajectories.batch import Values
from limr.trajectories.curves import Flags, Floats, Ints
from limr.trajectories.numbers import as_numbers
from limr.trajectories.rollout_rows import Rollouts

if TYPE_CHECKING:
    from limr.look.audit import Report

_FLAGS = ("truncated", "is_truncated", "response_truncated")
_REASONS = ("finish_reason", "stop_reason", "status")
_LENGTHS = ("response_length", "response_tokens", "completion_length", "completion_tokens",
            "output_tokens")  # fmt: skip
_CUT = {"length", "max_tokens", "max_length", "truncated", "length_capped"}
_ENDED = {"stop", "eos", "eos_token", "stop_sequence", "end_turn", "completed", "complete",
          "finished", "tool_calls", "abort", "aborted", "failed"}  # fmt: skip
MUCH = 0.05  # share of truncated responses from which on it is a warning
SURE = 0.001  # p value of a trend
_SHORTEST = 64  # tokens, below which a greatest length is no limit
_CHARACTERS = 200  # the same of characters
_PILE, _PILE_SHARE = 5, 0.005  # responses at a length that make it a limit


def check(rollouts: Rollouts, answers: Answers | None, report: Report) -> Flags:
    """Check which responses are truncated; return (n answers,) those whose text the log cuts."""
    try:
        column, cut, why = _truncated(rollouts)
    except InputError as error:
        column, cut, why = "", None, str(error)
    if cut is None:
        report.not_checked("truncation", why)
    else:
        _shares(rollouts, column, cut, report)
    if answers is None:
        return np.zeros(0, bool)
    return _cut_texts(answers, report)


def _truncated(rollouts: Rollouts) -> tuple[str, Floats | None, str]:
    """Return the column, (n_rows,) 1 truncated, 0 not, NaN unknown, or None and why."""
    names = records.sample(rollouts.files[int(rollouts.file[0])]).names
    for name in (*_FLAGS, *_REASONS, *_LENGTHS):
        if name not in names:
            continue
        values = _column(rollouts, name)
        if name in _REASONS:
            words = [str(value).lower() for value in values]
            odd = {word for word in words if word not in _CUT | _ENDED | {"none"}}
            if odd:
                return name, None, f"'{name}' has the value {min(odd)!r:.40}, which is unknown"
            known = [np.nan if word == "none" else float(word in _CUT) for word in words]
            return name, np.array(known), ""
        numbers = as_numbers(values).row_values
        if name in _FLAGS:
            fits = np.isin(numbers, (0, 1)) | np.isnan(numbers)
            return (name, numbers, "") if fits.all() else (name, None, f"'{name}' is no flag")
        most = limit(numbers[~np.isnan(numbers)], _SHORTEST)
        if most is None:
            return name, None, f"lengths in '{name}' do not pile up at their greatest"
        return name, np.where(np.isnan(numbers), np.nan, numbers == most), ""
    return "", None, "no column says which responses are truncated"


def limit(lengths: Floats | Ints, shortest: int) -> float | None:
    """Return the greatest length if so many responses have it that it must be a limit."""
    if not len(lengths) or lengths.max() < shortest:
        return None
    most = lengths.max()
    at, below = (lengths == most).sum(), ((lengths < most) & (lengths >= 0.98 * most)).sum()
    enough = at >= max(_PILE, _PILE_SHARE * len(lengths)) and at > below
    return float(most) if enough else None


def _column(rollouts: Rollouts, name: str) -> list[Any]:
    """Return (n_rows,) the values of a column of the log."""
    found: list[Any] = [None] * len(rollouts.row)
    for file in np.unique(rollouts.file):
        mine = np.flatnonzero(rollouts.file == file)
        mine = mine[np.argsort(rollouts.row[mine], kind="stable")]
        rows = rollouts.row[mine]
        for batch in records.batches(rollouts.files[file], {name: name}, rollouts.expand):
            at = np.minimum(np.searchsorted(rows, batch.rows), len(rows) - 1)
            here = rows[at] == batch.rows
            for place, value in zip(at[here], _taken(batch.columns[name], here), strict=True):
                found[mine[place]] = value
    return found


def _taken(values: Values, rows: Flags) -> list[Any]:
    listed = values if isinstance(values, list) else values.to_pylist()
    return [listed[row] for row in np.flatnonzero(rows)]


def _shares(rollouts: Rollouts, column: str, cut: Floats, report: Report) -> None:
    known = ~np.isnan(cut)
    if not known.any():
        report.not_checked("truncation", f"'{column}' is empty")
        return
    problem, visit = rollouts.problem[known], rollouts.visit[known]
    n = np.bincount(visit)
    k = np.bincount(visit, cut[known]).astype(int)
    rows = pd.DataFrame({"visit": np.arange(len(n)) + 1, "n": n, "truncated": k})[n > 0]
    bounds = [wilson(one, of) for one, of in zip(rows["truncated"], rows["n"], strict=True)]
    rows["share"] = rows["truncated"] / rows["n"]
    rows["low"], rows["high"] = zip(*bounds, strict=True)
    rise, p = trend(problem, visit, cut[known])
    low = wilson(int(k.sum()), int(n.sum()))[0]
    moved = f", {'rising' if rise > 0 else 'falling'} from {rows['share'].iloc[0]:.1%} at the " \
        f"first visit to {rows['share'].iloc[-1]:.1%} at the last" if p < SURE else ""  # fmt: skip
    report.add(
        "truncated",
        f"{k.sum():,} of {n.sum():,} responses are truncated ({k.sum() / n.sum():.1%}, by "
        f"'{column}'){moved}.",
        "warning" if low > MUCH or (p < SURE and rise > 0) else "info",
        int(k.sum()),
        rows,
    )


def trend(problem: Ints, visit: Ints, cut: Floats) -> tuple[float, float]:
    """Return the mean change within prompts from the first to the second half of the visits, and p.

    A t test over prompts, so that the samples of a prompt need not be independent.
    """
    late = visit >= (visit.max() + 1) / 2
    size = problem.max() + 1
    n = [np.bincount(problem[part], minlength=size) for part in (~late, late)]
    k = [np.bincount(problem[part], cut[part], minlength=size) for part in (~late, late)]
    both = (n[0] > 0) & (n[1] > 0)
    if both.sum() < 5:
        return 0.0, 1.0
    change = k[1][both] / n[1][both] - k[0][both] / n[0][both]
    if np.ptp(change) == 0:
        return float(change[0]), 1.0 if change[0] == 0 else 0.0
    return float(change.mean()), float(stats.ttest_1samp(change, 0.0).pvalue)


def _cut_texts(answers: Answers, report: Report) -> Flags:
    """Say where the log keeps the first characters of responses only, whose answers are lost."""
    read = answers.answer != -2
    most = limit(answers.characters[read], _CHARACTERS)
    cut: Flags = np.zeros(len(read), bool) if most is None else read & (answers.characters == most)
    if len(np.unique(answers.hashes[cut])) < _PILE:
        return np.zeros(len(read), bool)
    report.add(
        "responses-cut",
        f"{int(cut.sum()):,} of {int(read.sum()):,} responses that were read have exactly "
        f"{most:,.0f} characters, none has more: the log cuts responses. Their answers may be cut "
        "off, and they are left out of the check of the reward.",
        "warning",
        int(cut.sum()),
    )
    return cut
