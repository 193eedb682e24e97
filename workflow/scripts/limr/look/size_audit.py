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

SURE = 0.001  # p value
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
            "rollouts are not in the log, or were left out.",
            count=lost,
            rows=pd.DataFrame(rows),
        )
    if "filtered-groups" in codes:
        report.not_checked("whether group size goes with the verdict", "groups were filtered")
    else:
        _with_verdict(samples, ids, lost, report)


def _with_verdict(samples: Samples, ids: Sequence[str], lost: int, report: Report) -> None:
    seen = np.flatnonzero(samples.n.any(axis=1))
    rows, k = samples.n[seen], samples.n_correct[seen].sum(axis=1)
    n = rows.sum(axis=1)
    size = n / (rows > 0).sum(axis=1)
    if len(seen) < FEWEST:
        report.not_checked("whether group size goes with the verdict", "too few prompts")
        return
    rho, p = goes_with(size, k, n)
    if p >= SURE:
        return
    share, total = float(k.sum() / n.sum()), int(n.sum()) + lost
    table = pd.DataFrame(
        {"problem_id": [ids[at] for at in seen], "n": n, "mean_size": size, "pass_rate": k / n}
    )
    report.add(
        "size-goes-with-verdict",
        f"prompts with smaller groups have {'lower' if rho > 0 else 'higher'} accuracy (Spearman "
        f"{rho:+.2f} over {len(seen):,} prompts, p = {p:.1g}): the rollouts that were lost are "
        f"more often {'wrong' if rho > 0 else 'right'} ones, or those of "
        f"{'harder' if rho > 0 else 'easier'} prompts, or the trainer chooses the number of "
        f"samples by difficulty. Accuracy is {share:.1%} over what is logged; if all that was lost "
        f"had been wrong, {k.sum() / total:.1%}, if right, {(k.sum() + lost) / total:.1%}.",
        "warning",
        len(seen),
        table.sort_values(["mean_size", "problem_id"]).head(_ROWS),
    )


def goes_with(size: Floats, k: Ints, n: Ints) -> tuple[float, float]:
    """Return Spearman's correlation of group size and pass rate over prompts, and its p value.

    Args:
        size: (n_prompts,) mean size of a prompt's groups.
        k: (n_prompts,) its correct samples.
        n: (n_prompts,) its samples.
    """
    rate = k / n
    if np.ptp(size) == 0 or np.ptp(rate) == 0:
        return 0.0, 1.0
    found = stats.spearmanr(size, rate)
    return float(found.statistic), float(found.pvalue)
