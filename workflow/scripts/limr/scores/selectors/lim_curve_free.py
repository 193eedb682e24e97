"""Curve-free LIM: LIM's idea without the curve, as an ablation.

s_i = -(p_i - p̄)², p_i the share of correct samples over all used epochs, p̄ the mean of p over the
problems that were sampled: what is left of LIM when the epochs are pooled. In [-1, 0]; an
always-solved problem scores -(1 - p̄)², a never-solved one -p̄². On real curves LIM ranks nearly the
same (docs/selection.md): the difference is all that the curve's shape adds.

With `noise` (`limr.scores.noise`) the square is estimated without the samples' noise: unbiased
(`debias`: may exceed 0), or as its expectation given the samples (`shrink`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from limr.core.validation import Keys
from limr.scores.noise import Noise, pooled
from limr.scores.scoring import ProblemSet, Scores, from_pass_rate
from limr.trajectories import curves as tr

TITLE = "LIM without the curve"
NEEDS_TRAJECTORIES = True
SEEDED = False


class Options(Keys):
    """Keys of an entry of `scores`."""

    epochs: tr.Epochs = None
    noise: Noise = "ignore"


def score(
    problems: ProblemSet,
    samples: tr.Samples,
    options: Mapping[str, Any],
    rng: np.random.Generator,
) -> Scores:
    """Return minus the squared distance of every pass rate to the mean pass rate."""
    used = samples.within(options["epochs"])
    x, s, reasons = pooled(used, options["noise"])
    known = ~np.isnan(x)
    mean = x[known].mean() if known.any() else np.nan
    distance = (x - mean) ** 2
    if s is not None and known.any():
        distance = distance + s * (1 - 2 / known.sum()) + s[known].mean() / known.sum()
    found = from_pass_rate(used, -distance)
    return Scores(found.values, {**found.reasons, **reasons})
