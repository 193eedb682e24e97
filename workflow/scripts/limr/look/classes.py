"""Four classes of prompts, by intervals of their pass rates and not by point estimates."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from limr.trajectories.curves import Floats, Samples

NEVER, ALWAYS = 0.1, 0.9  # below: groups mostly all wrong; above: mostly all right
SURE = 0.95
RISE = 0.01  # p value of a rise between the halves of the visits


def interval(n_correct: npt.ArrayLike, n: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return one-sided bounds (Clopper-Pearson, 95 % each) of rates; [0, 1] where n = 0."""
    k, of = np.asarray(n_correct, float), np.asarray(n, float)
    low = np.where(k > 0, stats.beta.ppf(1 - SURE, k, of - k + 1), 0.0)
    high = np.where(k < of, stats.beta.ppf(SURE, k + 1, of - k), 1.0)
    return np.nan_to_num(low, nan=0.0), np.nan_to_num(high, nan=1.0)


def classes(samples: Samples) -> list[str]:
    """Return each problem's class.

    `dead`: surely solved in less than a tenth of its samples. `solved`: surely in more than nine
    tenths. `learning`: surely between the two, or surely better in the second half of its visits
    than in the first. `unclear`: too few samples to say any of it.
    """
    n, k = samples.n.sum(axis=1), samples.n_correct.sum(axis=1)
    low, high = interval(k, n)
    found = np.full(len(n), "unclear", dtype=object)
    found[(low > NEVER) & (high < ALWAYS) | rising(samples)] = "learning"
    found[(high < NEVER) & (found != "learning")] = "dead"
    found[(low > ALWAYS) & (found != "learning")] = "solved"
    return [str(one) for one in found]


def rising(samples: Samples) -> npt.NDArray[np.bool_]:
    """Return which problems are surely better in the second half of the visits (Fisher's test)."""
    middle = samples.n_epochs // 2
    if not middle:
        return np.zeros(len(samples.n), bool)
    n = [samples.n[:, :middle].sum(axis=1), samples.n[:, middle:].sum(axis=1)]
    k = [samples.n_correct[:, :middle].sum(axis=1), samples.n_correct[:, middle:].sum(axis=1)]
    # P(at least so many of the correct ones fall into the second half)
    p = stats.hypergeom.sf(k[1] - 1, n[0] + n[1], k[0] + k[1], n[1])
    return np.asarray((n[0] > 0) & (n[1] > 0) & (p < RISE))
