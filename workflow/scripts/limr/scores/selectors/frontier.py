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

from limr.scores.scoring import ProblemSet, Scores, from_pass_rate
from limr.trajectories import curves as tr

TITLE = "Frontier"
NEEDS_TRAJECTORIES = True
SEEDED = False
OPTIONS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "epochs": tr.EPOCHS_OPTION,
        "target": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "default": 0.5,
            "description": "The pass rate to be near to.",
        },
        "prior": {
            "type": "number",
            "minimum": 0,
            "default": 0.0,
            "description": "Both parameters of the Beta prior of a pass rate; 0: no prior.",
        },
    },
}


def score(
    problems: ProblemSet,
    samples: tr.Samples,
    options: Mapping[str, Any],
    rng: np.random.Generator,
) -> Scores:
    """Return minus the distance of every sampled problem's pass rate to the target.

    Raises:
        InputError: see `limr.trajectories.curves.Samples.first`.
    """
    samples = samples.first(options["epochs"])
    n, n_correct = samples.n.sum(axis=1), samples.n_correct.sum(axis=1)
    prior = float(options["prior"])
    rate = (n_correct + prior) / np.maximum(n + 2.0 * prior, 1e-300)
    return from_pass_rate(samples, -np.abs(rate - options["target"]))
