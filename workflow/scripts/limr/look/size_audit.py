"""Groups of different size: how many rollouts are lost, and whether that goes with the verdict.

Within a prompt the size of a group tells nothing of what is lost: if each wrong rollout is lost
with the same probability, a group's accuracy is the same whatever its size. What shows is that
prompts with lower accuracy have smaller groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from limr.trajectories.curves import Floats, Ints, Samples

if TYPE_CHECKING:
    from limr.look.audit import Report

SURE = 0.005  # p value
FEWEST = 8  # prompts
_FULL = 0.05  # the largest size that so many groups have is the full one
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
    full = int(sizes[counts >= _FULL * len(n)].max(initial=0)) or int(sizes[-1])
    small = n < full
    lost = int((full - n[small]).sum())
    if lost:
        rows = {
            "problem_id": [ids[at] for at in problem[small][:_ROWS]],
            "visit": visit[small][:_ROWS] + 1,
            "n": n[small][:_ROWS],
            "full": full,
            "n_correct": k[small][:_ROWS],
        }
        report.add(
            "rollouts-lost",
            f"{int(small.sum()):,} of {len(n):,} groups have fewer than {full} samples: {lost:,} "
            "rollouts are not in the log or were left out, unless fewer were drawn by design.",
            count=lost,
            rows=pd.DataFrame(rows),
        )
    if "filtered-groups" in codes:
        report.not_checked("whether group size goes with the verdict", "groups were filtered")
    else:
        _with_verdict(samples, ids, lost, report)


def _with_verdict(samples: Samples, ids: Sequence[str], lost: int, report: Report) -> None:
    seen = np.flatnonzero(samples.n.any(axis=1)).tolist()
    rows, k = samples.n[seen], samples.n_correct[seen].sum(axis=1)
    n = rows.sum(axis=1)
    if len(seen) < FEWEST:
        report.not_checked("whether group size goes with the verdict", "too few prompts")
        return
    rho, p = goes_with(rows, samples.n_correct[seen])
    if p >= SURE:
        return
    share, total = float(k.sum() / n.sum()), int(n.sum()) + lost
    table = pd.DataFrame(
        {
            "problem_id": [ids[at] for at in seen],
            "n": n,
            "mean_size": n / (rows > 0).sum(axis=1),
            "pass_rate": k / n,
        }
    )
    report.add(
        "size-goes-with-verdict",
        f"prompts with smaller groups have {'lower' if rho > 0 else 'higher'} accuracy "
        f"(correlation {rho:+.2f} over {len(seen):,} prompts, p = {p:.1g}): the lost rollouts are "
        f"more often {'wrong' if rho > 0 else 'right'} ones, or those of "
        f"{'harder' if rho > 0 else 'easier'} prompts, or the trainer chooses the number of "
        f"samples by difficulty. Accuracy is {share:.1%} over what is logged; if all that was lost "
        f"had been wrong, {k.sum() / total:.1%}, if right, {(k.sum() + lost) / total:.1%}.",
        "warning",
        len(seen),
        table.sort_values(["mean_size", "problem_id"]).head(_ROWS),
    )


def goes_with(n: Ints, k: Ints) -> tuple[float, float]:
    """Return the correlation of size and accuracy of groups at the same visit, and its p value.

    A permutation test: the accuracies of each prompt, all visits together, are dealt out to the
    sizes of another one. Of all such permutations the mean and the variance are known exactly
    (Hoeffding 1951); the p value is that of a normal distribution, two-sided.

    Args:
        n: (n_prompts, n_visits) samples.
        k: (n_prompts, n_visits) correct ones.
    """
    size, accuracy = _centred(n.astype(float), n), _centred(k / np.maximum(n, 1), n)
    total = float((size * accuracy).sum())
    scale = float(np.sqrt((size**2).sum() * (accuracy**2).sum()))
    spread = float(np.sqrt(((size.T @ size) * (accuracy.T @ accuracy)).sum() / (len(n) - 1)))
    if scale == 0 or spread == 0:
        return 0.0, 1.0
    return total / scale, float(2 * stats.norm.sf(abs(total) / spread))


def _centred(values: Floats, n: Ints) -> Floats:
    """Return values less the mean of their visit; 0 where there is no group."""
    there = n > 0
    means = np.where(there, values, 0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    return np.where(there, values - means, 0.0)
