"""Passes over the data that broke off: prompts that came again while others were passed over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from limr.trajectories.curves import Flags, Ints
from limr.trajectories.log import place
from limr.trajectories.rollout_rows import Rollouts

if TYPE_CHECKING:
    from limr.look.audit import Report

_SLACK = 0.05  # share of prompts that a pass may lack where it is unknown how many are in a step
_FILES = 4  # files, from which on their prompts are taken for those of a step
_FEWEST = 8  # prompts, below which a pass says nothing
# The reader's findings for which prompts lack visits, or are out of order, in a log that is right.
_EXPLAINED = ("filtered-groups", "steps-missing", "overwritten-steps", "spread-groups", "no-steps")


@dataclass(frozen=True)
class Visits:
    """All visits in the order of training.

    Attributes:
        problem: (n_visits,) places of problems.
        row: (n_visits,) place of its first row among the rollouts.
        first: (n_problems,) place of a problem's first visit; n_visits where it has none.
        last: (n_problems,) place of its last visit; -1 where it has none.
    """

    problem: Ints
    row: Ints
    first: Ints
    last: Ints


@dataclass(frozen=True)
class Pass:
    """A stretch of visits in which no prompt is twice, as long as possible.

    Attributes:
        begin, end: places among the visits; at `end` a prompt comes again.
        due: how many prompts were seen before its end and are seen again, or for the first time,
            from its beginning on.
    """

    begin: int
    end: int
    due: int


def check(rollouts: Rollouts, ids: Sequence[str], codes: set[str], report: Report) -> None:
    """Check that prompts come in whole passes over the data.

    Args:
        rollouts: the log's rows.
        ids: the problems' ids.
        codes: of the reader's findings.
        report: takes what is found.
    """
    explained = [code for code in _EXPLAINED if code in codes]
    if explained:
        report.not_checked("whether prompts were skipped or repeated", explained[0])
        return
    visits = in_order(rollouts, len(ids))
    n_prompts = int((visits.last >= 0).sum())
    found = passes(visits)
    if n_prompts < _FEWEST or len(found) < 3:
        return  # a first pass and a last one that may be cut by the log's end tell nothing
    slack = _slack(rollouts, visits, n_prompts)
    short = [one for one in found[:-1] if one.end - one.begin < one.due - slack]
    if not short:
        return
    counts = np.bincount(visits.problem, minlength=len(ids))[visits.last >= 0]
    whole = sum(one.end - one.begin for one in found if one not in short)
    if whole * 2 < len(visits.problem):
        report.add(
            "no-passes",
            "prompts come again before all others had their turn, throughout: they are drawn with "
            f"replacement, by a curriculum, or stand in the data several times. Visits per prompt: "
            f"{counts.min()} to {counts.max()}.",
        )
        return
    _broken(rollouts, visits, found, short, ids, report)


def _broken(
    rollouts: Rollouts,
    visits: Visits,
    found: Sequence[Pass],
    short: Sequence[Pass],
    ids: Sequence[str],
    report: Report,
) -> None:
    """Say which passes broke off, and which prompts have more or fewer visits for it."""
    until = found[-1].begin
    counts = np.bincount(visits.problem[:until], minlength=len(ids))
    stays = (visits.first < found[0].end) & (visits.last >= found[-2].begin)
    usual = int(np.bincount(counts[stays]).argmax())
    twice, absent = np.zeros(len(ids), bool), np.zeros(len(ids), bool)
    for one in short:
        here = np.bincount(visits.problem[one.begin : one.begin + one.due], minlength=len(ids))
        twice |= here > 1
        absent |= here == 0
    repeated: Flags = stays & twice & (counts > usual)
    skipped: Flags = stays & absent & (counts < usual)
    rows = [
        {"problem_id": ids[int(at)], "visits": int(counts[at]), "usual": usual, "what": what}
        for what, which in (("repeated", repeated), ("skipped", skipped))
        for at in np.flatnonzero(which)
    ]
    first = short[0]
    row = int(visits.row[first.end])
    where = place(rollouts.files[int(rollouts.file[row])], int(rollouts.row[row]))
    report.add(
        "broken-pass",
        f"a pass over the data broke off after {first.end - first.begin:,} of {first.due:,} "
        f"prompts, where a prompt came again: a resume without the state of the data loader, or a "
        f"loader that began anew. {int(repeated.sum()):,} prompts have more visits than the rest, "
        f"{int(skipped.sum()):,} have fewer; their k-th visits are not of one time.",
        "warning",
        int(repeated.sum() + skipped.sum()),
        pd.DataFrame(rows, columns=["problem_id", "visits", "usual", "what"]),
        where,
    )


def in_order(rollouts: Rollouts, n_problems: int) -> Visits:
    """Return all visits in the order of training."""
    key = rollouts.problem * np.int64(rollouts.visit.max() + 1) + rollouts.visit
    row = np.sort(np.unique(key, return_index=True)[1])
    problem = rollouts.problem[row]
    first, last = np.full(n_problems, len(row)), np.full(n_problems, -1)
    np.minimum.at(first, problem, np.arange(len(row)))
    np.maximum.at(last, problem, np.arange(len(row)))
    return Visits(problem, row, first, last)


def passes(visits: Visits) -> list[Pass]:
    """Return the passes: each ends where one of its prompts comes again, or the log ends."""
    bounds = [0]
    seen: dict[int, int] = {}
    for at, problem in enumerate(visits.problem.tolist()):
        if seen.get(problem, -1) >= bounds[-1]:
            bounds.append(at)
        seen[problem] = at
    ends = [*bounds[1:], len(visits.problem)]
    due = [
        int(((visits.first < end) & (visits.last >= begin)).sum())
        for begin, end in zip(bounds, ends, strict=True)
    ] if len(bounds) < 1000 else [len(visits.last)] * len(bounds)  # fmt: skip
    return [Pass(*one) for one in zip(bounds, ends, due, strict=True)]


def _slack(rollouts: Rollouts, visits: Visits, n_prompts: int) -> int:
    """Return how many prompts a pass may lack: the rest that fills no step, or a share."""
    per_file = np.bincount(rollouts.file[visits.row])
    per_file = per_file[per_file > 0]
    slack = int(_SLACK * n_prompts)
    return slack if len(per_file) < _FILES else max(slack, int(np.median(per_file)))
