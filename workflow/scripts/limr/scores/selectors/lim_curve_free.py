"""Curve-free LIM: LIM's idea without the curve, as an ablation.

s_i = -(p_i - p̄)², p_i the share of correct samples over all used epochs, p̄ the mean of p over the
problems that were sampled: what is left of LIM when the epochs are pooled. In [-1, 0]; an
always-solved problem scores -(1 - p̄)², a never-solved one -p̄². On real curves LIM ranks nearly the
same (docs/selection.md): the difference is all that the curve's shape adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from limr.core.validation import Keys
from limr.scores.selector_kinds import by_pass_rate
from limr.trajectories import curves as tr

TITLE = "LIM without the curve"
NEEDS_TRAJECTORIES = True
SEEDED = False


class Options(Keys):
    """Keys of an entry of `scores`."""

    epochs: tr.Epochs = None


@by_pass_rate
def score(samples: tr.Samples, options: Mapping[str, Any]) -> tr.Floats:
    """Return minus the squared distance of every pass rate to the mean pass rate."""
    rate = samples.pass_rate
    sampled = ~np.isnan(rate)
    mean = rate[sampled].mean() if sampled.any() else np.nan
    return -((rate - mean) ** 2)
