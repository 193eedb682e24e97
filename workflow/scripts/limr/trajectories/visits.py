"""Epochs without a setting: a prompt's k-th visit is its epoch k.

A visit is one step in which a prompt was sampled, or one group where the log names groups. Trainers
whose groups are spread over neighbouring steps are recognised by their sizes.
"""

from __future__ import annotations

import numpy as np

from limr.trajectories.curves import Flags, Ints
from limr.trajectories.findings import Findings
from limr.trajectories.log import Places

_WIDEST = 8  # steps that a group may be spread over
_SAME = 0.95  # share of visits of one size that is taken for a rule
MOST = 0.9  # share of prompts that an epoch must have to count as whole


def number(problem: Ints, at: Places, group: Places | None, found: Findings) -> Ints:
    """Return (n_rows,) the visit of each row, from 0.

    Args:
        problem: (n_rows,) places of the rows' problems, none negative.
        at: (n_rows,) numbers of their steps, in order.
        group: (n_rows,) their groups, 0 where unknown; None: the log names none.
        found: takes what is noticed.
    """
    if not len(problem):
        return np.zeros(0, np.int64)
    if group is not None and _groups_tell(problem, at, group):
        return _by_group(problem, at, group, found)
    order = np.lexsort((at, problem))
    window = _window(problem[order], at[order])
    if window:
        found.add(
            "spread-groups",
            f"the samples of a prompt come in neighbouring steps (an asynchronous trainer): steps "
            f"at most {window} apart count as one visit.", count=window,
        )  # fmt: skip
    visits = np.empty(len(problem), np.int64)
    visits[order] = _count(problem[order], at[order], window)
    return visits


def _count(problem: Ints, at: Places, window: int) -> Ints:
    """Return the visits of rows that are sorted by problem and step."""
    new = np.diff(problem, prepend=problem[0] - 1) != 0
    later = (np.diff(at, prepend=at[0]) > window) & ~new
    total = np.cumsum(later)
    starts = np.maximum.accumulate(np.where(new, np.arange(len(at)), 0))
    return np.asarray(total - total[starts])


def _window(problem: Ints, at: Places) -> int:
    """Return the smallest window under which visits have one size, where steps have several."""
    for window in range(_WIDEST + 1):
        visits = _count(problem, at, window)
        key = problem * np.int64(visits.max() + 1) + visits
        sizes = np.unique(key, return_counts=True)[1]
        common = np.bincount(sizes).argmax()
        if common > 1 and (sizes == common).mean() >= _SAME:
            return window
    return 0


def _groups_tell(problem: Ints, at: Places, group: Places) -> bool:
    """Tell whether groups are finer than steps and coarser than rows, each of one problem."""
    if (group == 0).any():
        return False
    ids, first, counts = np.unique(group, return_index=True, return_counts=True)
    of_first = problem[first][np.searchsorted(ids, group)]
    return bool((of_first == problem).all() and counts.max() > 1)


def _by_group(problem: Ints, at: Places, group: Places, found: Findings) -> Ints:
    """Return the visits by groups, in the order of their first steps."""
    ids, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    begin = np.full(len(ids), np.iinfo(np.int64).max)
    np.minimum.at(begin, inverse, at)
    end = np.zeros(len(ids), np.int64)
    np.maximum.at(end, inverse, at)
    if (end > begin).any():
        found.add("spread-groups", f"{int((end > begin).sum()):,} groups are spread over several "
                  "steps (an asynchronous trainer); each counts as one visit.",
                  count=int((end > begin).sum()))  # fmt: skip
    order = np.lexsort((first, begin, problem[first]))
    of_group = problem[first][order]
    new = np.diff(of_group, prepend=of_group[0] - 1) != 0
    place = np.arange(len(order))
    visit = place - np.maximum.accumulate(np.where(new, place, 0))
    visits = np.empty(len(ids), np.int64)
    visits[order] = visit
    return np.asarray(visits[inverse])


def whole_epochs(n: Ints) -> int:
    """Return how many epochs nearly all prompts have that the log has at all.

    Args:
        n: (n_problems, n_epochs) samples.
    """
    seen = n[(n > 0).any(axis=1)]
    if not len(seen):
        return 0
    share = (seen > 0).mean(axis=0)
    short = np.flatnonzero(share < MOST)
    return int(short[0]) if len(short) else int(n.shape[1])


def filtered(n: Ints, n_correct: Ints) -> tuple[bool, int]:
    """Tell whether groups that are all right or all wrong were never logged.

    Args:
        n: (n_problems, n_visits) samples.
        n_correct: (n_problems, n_visits) correct ones.

    Returns:
        whether that is so, and the number of groups. It is said where no group of many is uniform
        although, at the pass rates seen, hardly any such log would have none.
    """
    groups: Flags = n > 1
    total = int(groups.sum())
    uniform = groups & ((n_correct == 0) | (n_correct == n))
    if total < 20 or uniform.any():
        return False, total
    size = n[groups].astype(float)
    rate = np.clip(n_correct[groups] / size, 0.5 / size, 1 - 0.5 / size)
    none = np.log1p(-(rate**size) - (1 - rate) ** size).sum()
    return bool(none < np.log(0.01) or total >= 200), total
