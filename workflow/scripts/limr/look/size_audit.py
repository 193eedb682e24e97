"""Groups of different size: how many rollouts are lost, and whether the lost ones are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from limr.trajectories.curves import Floats, Ints, Samples

if TYPE_CHECKING:
    from limr.look.audit import Report

SURE = 0.001  # p value
_FREE = 10  # degrees of freedom that the test needs
_ROUNDS = 100  # of removing the means of problems and of visits in turn
_ROWS = 1000  # of evidence


def check(samples: Samples, ids: Sequence[str], codes: set[str], report: Report) -> None:
    """Check the sizes of groups: the samples of a problem at a visit.

    Args:
        samples: the log's samples.
        ids: the problems' ids.
        codes: of the reader's findings.
        report: takes what is found.
    """
    problem, visit = np.nonzero(samples.n)
    n, k = samples.n[problem, visit], samples.n_correct[problem, visit]
    sizes, counts = np.unique(n, return_counts=True)
    if len(sizes) < 2:
        return
    common = int(sizes[np.argmax(counts)])
    if counts.max() * 2 > len(n):
        small = n < common
        lost = int((common - n[small]).sum())
        rows = pd.DataFrame(
            {
                "problem_id": [ids[at] for at in problem[small]],
                "visit": visit[small] + 1,
                "n": n[small],
                "usual": common,
                "n_correct": k[small],
            }
        )
        if lost:
            report.add(
                "rollouts-lost",
                f"{int(small.sum()):,} of {len(n):,} groups have fewer than the usual {common} "
                f"samples: {lost:,} rollouts are not in the log, or were left out.",
                count=lost,
                rows=rows.head(_ROWS),
            )
    if "filtered-groups" in codes:
        report.not_checked("whether group size goes with the verdict", "groups were filtered")
        return
    _with_verdict(problem, visit, n, k, report)


def _with_verdict(problem: Ints, visit: Ints, n: Ints, k: Ints, report: Report) -> None:
    tested = score_test(problem, visit, n, k)
    if tested is None:
        report.not_checked("whether group size goes with the verdict", "too few groups")
        return
    slope, p = tested
    if p >= SURE:
        return
    by_size = pd.DataFrame({"size": n, "groups": 1, "n_correct": k}).groupby("size").sum()
    by_size = by_size.reset_index()
    by_size["accuracy"] = by_size["n_correct"] / (by_size["size"] * by_size["groups"])
    biased = "wrong" if slope < 0 else "right"
    report.add(
        "size-goes-with-verdict",
        f"smaller groups of a prompt have {'higher' if slope < 0 else 'lower'} accuracy "
        f"({-100 * slope:+.1f} points per sample that is missing, p = {p:.1g}, {len(n):,} groups): "
        f"the rollouts that were lost are more often {biased}, so that pass rates and curves are "
        f"too {'high' if slope < 0 else 'low'} where groups are small. Or the trainer chooses the "
        "number of samples by earlier verdicts.",
        "warning",
        len(n),
        by_size,
    )


def score_test(problem: Ints, visit: Ints, n: Ints, k: Ints) -> tuple[float, float] | None:
    """Test whether accuracy goes with group size, within problems and visits.

    A score test with the variance of each group's own residual, so that it holds whatever the
    spread of accuracies; means of problems and of visits are taken out of both.

    Args:
        problem: (n_groups,) places of problems.
        visit: (n_groups,) visits.
        n: (n_groups,) samples.
        k: (n_groups,) correct ones.

    Returns:
        The change of accuracy per sample, and the two-sided p value; None where there are too few.
    """
    free = len(n) - len(np.unique(problem)) - len(np.unique(visit)) + 1
    size = _without_means(n.astype(float), problem, visit, n)
    if free < _FREE or not (np.abs(size) > 1e-9).any():
        return None
    accuracy = _without_means(k / n, problem, visit, n)
    parts = n * size * accuracy
    spread = np.sqrt((parts**2).sum() * len(n) / free)
    slope = float(parts.sum() / (n * size**2).sum())
    if spread == 0:
        return slope, 1.0
    return slope, float(2 * stats.t.sf(abs(parts.sum()) / spread, free))


def _without_means(values: Floats, problem: Ints, visit: Ints, weight: Ints) -> Floats:
    """Return values less the weighted means of their problem and of their visit."""
    left = values.copy()
    for _ in range(_ROUNDS):
        before = left
        for group in (visit, problem):
            total = np.maximum(np.bincount(group, weight), 1)
            left = left - (np.bincount(group, weight * left) / total)[group]
        if np.abs(left - before).max() < 1e-12:
            break
    return left
