"""Progress: how much more often a problem is solved in the later half of the epochs.

c of n samples are correct in the first ⌊K/2⌋ epochs, c' of n' in the last ⌊K/2⌋; the middle one of
an odd number counts for neither. With d = c'/n' - c/n and p = (c + c') / (n + n'):

- `z` (default): d / sqrt(p (1 - p) (1/n + 1/n')), the two-proportion z-test, so that a rise counts
  the more the less chance explains it; 0 where p is 0 or 1;
- `difference`: d, in [-1, 1].

A falling problem scores below 0; an always- or never-solved or constant one 0. The rate may also
move within a half, where the noise is then smaller than the binomial one, so |z| is rather too
small. A problem that was not sampled in both halves has no score. Our own; needs pass rates only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from limr.core.validation import Keys, key
from limr.scores.selector_kinds import by_pass_rate
from limr.trajectories import curves as tr

TITLE = "Progress"
NEEDS_TRAJECTORIES = True
SEEDED = False
ONE_HALF = "not sampled in both halves of the epochs"


class Options(Keys):
    """Keys of an entry of `scores`."""

    epochs: tr.Epochs = None
    measure: Literal["z", "difference"] = key(
        "z",
        "`z`: the difference over its standard error under no change; `difference`: the later "
        "half's pass rate minus the earlier half's.",
    )


def _progress(samples: tr.Samples, options: Mapping[str, Any]) -> tr.Floats:
    """Return how much the later half's pass rate exceeds the earlier half's."""
    half = samples.n_epochs // 2
    early, late = slice(half), slice(samples.n_epochs - half, None)
    n, n_late = samples.n[:, early].sum(axis=1), samples.n[:, late].sum(axis=1)
    both = (n > 0) & (n_late > 0)
    n, n_late = np.where(both, n, 1), np.where(both, n_late, 1)
    correct, correct_late = (
        np.where(both, samples.n_correct[:, part].sum(axis=1), 0) for part in (early, late)
    )
    difference = correct_late / n_late - correct / n
    if options["measure"] == "z":
        rate = (correct + correct_late) / (n + n_late)
        error = np.sqrt(rate * (1.0 - rate) * (1.0 / n + 1.0 / n_late))
        difference = np.divide(difference, error, out=np.zeros(len(n)), where=error > 0)
    return np.where(both, difference, np.nan)


score = by_pass_rate(_progress, ONE_HALF)
