"""Epochs without a setting: a prompt's k-th visit is its epoch k.

A visit is one step in which a prompt was sampled, or one group where the log names groups. Trainers
whose groups are spread over neighbouring steps are recognised by their sizes.
"""

from __future__ import annotations

import numpy as np

from limr.trajectories.curves import Flags, Ints, Samples
from limr.trajectories.findings import Findings
from limr.trajectories.log import Places

_PAIR = 2  # samples of a group at least
_WIDEST = 8  # steps that a group may be spread over
_SAME = 0.95  # share of visits of one size that is taken for a rule
MOST = 0.9  # share of prompts that an epoch must have to count as whole
_FEWEST, _MANY = 20, 200  # groups, before filtering can be seen; and where none uniform is proof


def number(problem: Ints, at: Places, group: Places | None, n: Places, found: Findings) -> Ints:
    """Return (n_blocks,) the visit of each block of rows, from 0.

    Args:
        problem: (n_blocks,) places of the blocks' problems, none negative.
        at: (n_blocks,) numbers of their steps, in order.
        group: (n_blocks,) their groups, 0 where unknown; None: the log names none.
        n: (n_blocks,) their rows.
        found: takes what is noticed.
    """
    if not len(problem):
        return np.zeros(0, np.int64)
    if group is not None and _groups_tell(problem, at, group, n):
        return _by_group(problem, at, group, found)
    starts = runs(problem, at)
    size = np.add.reduceat(n, starts)
    order = np.lexsort((at[starts], problem[starts]))
    rows = starts[order]
    window = _window(problem[rows], at[rows], size[order])
    if window:
        found.add(
            "spread-groups",
            f"the samples of a prompt come in neighbouring steps (an asynchronous trainer): steps "
            f"at most {window} apart count as one visit.",
            count=window,
        )
    visits = np.empty(len(starts), np.int64)
    visits[order] = _count(problem[rows], at[rows], window)
    return np.repeat(visits, np.diff(starts, append=len(at)))


def runs(problem: Ints, at: Places) -> Places:
    """Return the first of each run of rows, or blocks, of one problem in one step."""
    change = (problem[1:] != problem[:-1]) | (at[1:] != at[:-1])
    return np.asarray(np.r_[0, np.flatnonzero(change) + 1])


def _count(problem: Ints, at: Places, window: int) -> Ints:
    """Return the visits of runs that are sorted by problem and step."""
    new = np.diff(problem, prepend=problem[0] - 1) != 0
    later = (np.diff(at, prepend=at[0]) > window) & ~new
    total = np.cumsum(later)
    starts = np.maximum.accumulate(np.where(new, np.arange(len(at)), 0))
    return np.asarray(total - total[starts])


def _window(problem: Ints, at: Places, size: Ints) -> int:
    """Return how many steps apart the samples of one visit may be; 0: they share a step.

    That is the smallest window under which nearly all visits have one size, where they differ
    without; or one at which the gaps between a prompt's steps fall into short and long ones.
    """
    for window in range(_WIDEST + 1):
        visits = _count(problem, at, window)
        key = problem * np.int64(visits.max() + 1) + visits
        sizes = np.bincount(np.unique(key, return_inverse=True)[1], weights=size).astype(np.int64)
        common = np.bincount(sizes).argmax()
        if common > 1 and (sizes == common).mean() >= _SAME:
            return window or _valley(problem, at)
    return 0


def _valley(problem: Ints, at: Places) -> int:
    """Return the greatest of the short gaps between a prompt's steps, if others are far longer."""
    gaps = np.diff(at)[np.diff(problem) == 0]
    gaps = gaps[gaps > 0]
    for window in range(1, _WIDEST + 1):
        short, far = (gaps <= window).sum(), (gaps > 3 * window).sum()
        if short >= 0.3 * len(gaps) and far and short + far >= _SAME * len(gaps):
            return window
    return 0


def _groups_tell(problem: Ints, at: Places, group: Places, n: Places) -> bool:
    """Tell whether groups are finer than steps and coarser than rows, each of one problem."""
    if (group == 0).any():
        return False
    ids, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    if not (problem[first][inverse] == problem).all():
        return False
    if np.bincount(inverse, weights=n).max() < _PAIR:
        return False
    return len(ids) > len(np.unique(problem)) or not _comes_again(problem, at, n)


def _comes_again(problem: Ints, at: Places, n: Places) -> bool:
    """Tell whether problems come back later, so that their one group is no visit but their id."""
    order = np.lexsort((at, problem))
    gaps = np.diff(at[order])[np.diff(problem[order]) == 0]
    _, inverse = np.unique(np.stack([problem, at]), axis=1, return_inverse=True)
    sizes = np.bincount(inverse, weights=n)
    several = len(sizes) > len(np.unique(problem))
    return bool(several and ((gaps > _WIDEST).any() or (sizes == sizes[0]).all()))


def _by_group(problem: Ints, at: Places, group: Places, found: Findings) -> Ints:
    """Return the visits by groups, in the order of their first steps."""
    ids, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    begin = np.full(len(ids), np.iinfo(np.int64).max)
    np.minimum.at(begin, inverse, at)
    end = np.zeros(len(ids), np.int64)
    np.maximum.at(end, inverse, at)
    if (end > begin).any():
        found.add(
            "spread-groups",
            f"{int((end > begin).sum()):,} groups are spread over several "
            "steps (an asynchronous trainer); each counts as one visit.",
            count=int((end > begin).sum()),
        )
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


def by_passes(problem: Ints, visit: Ints) -> Ints:
    """Return (n_blocks,) the pass over the data of each block, where some visits are missing.

    A pass ends where a problem of it comes again: no problem is twice in a pass over the data. At
    the borders of passes this may be off by one for a few problems.

    Args:
        problem: (n_blocks,) places of the blocks' problems, in the order of training.
        visit: (n_blocks,) their visits; see `number`.
    """
    key = problem * np.int64(visit.max() + 1) + visit
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    passes = np.empty(len(first), np.int64)
    seen: set[int] = set()
    current = 0
    for one in np.argsort(first, kind="stable"):
        here = int(problem[first[one]])
        if here in seen:
            seen, current = set(), current + 1
        seen.add(here)
        passes[one] = current
    return np.asarray(passes[inverse])


def filtered(n: Ints, n_correct: Ints) -> bool:
    """Tell whether groups that are all right or all wrong were never logged.

    That is said where no group of many is uniform although, at the pass rates seen, hardly any such
    log would have none.

    Args:
        n: (n_problems, n_visits) samples.
        n_correct: (n_problems, n_visits) correct ones.
    """
    groups: Flags = n > 1
    uniform = groups & ((n_correct == 0) | (n_correct == n))
    if groups.sum() < _FEWEST or uniform.any():
        return False
    size = n[groups].astype(float)
    rate = n_correct[groups] / size
    none = np.log1p(-(rate**size) - (1 - rate) ** size).sum()
    return bool(none < np.log(0.01) or groups.sum() >= _MANY)


def note_filtered(samples: Samples, given: bool, found: Findings) -> None:
    """Say that the trainer filters groups, and what that means."""
    never = int((samples.n == 0).all(axis=1).sum()) if given else 0
    absent = (
        f" {never:,} prompts were never logged: they are dead or solved, which of the two is "
        "unknown."
        if never
        else ""
    )
    found.add(
        "filtered-groups",
        f"none of {int((samples.n > 1).sum()):,} groups is all right or all wrong: the trainer "
        "filters such groups out before it logs them (dynamic sampling). Pass rates are those of "
        f"the groups that were kept.{absent} Curves have gaps where a group was filtered: take "
        "`missing: mean-of-present`, and mind low and high.",
        "warning",
        int((samples.n > 1).sum()),
    )


def note_lengths(samples: Samples, whole: int, given: bool, found: Findings) -> None:
    """Say how long the curves are, and which problems the log does not have."""
    never = int((samples.n == 0).all(axis=1).sum())
    if given and never and "filtered-groups" not in found:
        found.add(
            "never-logged",
            f"{never:,} of {len(samples.n):,} problems are not in the log.",
            count=never,
        )
    if whole < 2:
        found.add(
            "one-visit",
            "nearly every prompt was visited once only: there is no curve to "
            "follow, so that curve selectors such as lim mean little. Pass rates use all "
            "rows.",
            "warning",
        )
    elif whole < samples.n_epochs:
        late = int((samples.n[:, whole:] > 0).any(axis=1).sum())
        found.add(
            "unfinished-epoch",
            f"{late:,} prompts have more than {whole} visits: the log "
            f"ends within an epoch. Curves are made of {whole} visits, pass rates of all rows.",
            count=late,
        )
