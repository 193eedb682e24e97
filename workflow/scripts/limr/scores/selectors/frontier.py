"""Frontier: problems whose pass rate is nearest to a target (AdaRFT, MoPPS).

s_i = -|p_i - target|, p_i = (correct + a) / (samples + 2a) over all used epochs. With a = 0, the
default, p is the plain pass rate (AdaRFT, arXiv 2504.05520, aims at 0.5); with a > 0 it is the
mean of the posterior under a Beta(a, a) prior, which pulls problems with few samples to 0.5
(MoPPS, arXiv 2507.04632, has a = 1). In [-1, 0]; with a = 0 a never-solved problem scores -target,
an always-solved one target - 1. Needs pass rates only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from limr.core.validation import Keys, Number, key
from limr.scores.selector_kinds import by_pass_rate
from limr.trajectories import curves as tr

TITLE = "Frontier"
NEEDS_TRAJECTORIES = True
SEEDED = False


class Options(Keys):
    """Keys of an entry of `scores`."""

    epochs: tr.Epochs = None
    target: Number = key(0.5, "The pass rate to be near to.", ge=0, le=1)
    prior: Number = key(0.0, "Both parameters of the Beta prior of a pass rate; 0: no prior.", ge=0)


@by_pass_rate
def score(samples: tr.Samples, options: Mapping[str, Any]) -> tr.Floats:
    """Return minus the distance of every sampled problem's pass rate to the target."""
    n, n_correct = samples.n.sum(axis=1), samples.n_correct.sum(axis=1)
    prior = float(options["prior"])
    rate: tr.Floats = (n_correct + prior) / np.maximum(n + 2.0 * prior, 1e-300)
    distance: tr.Floats = np.abs(rate - options["target"])
    return -distance
