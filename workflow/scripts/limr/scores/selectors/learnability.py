"""Learnability: problems that are solved about half of the time (arXiv 2502.12272).

s_i = p_i (1 - p_i), p_i the share of correct samples over all used epochs. In [0, 0.25]; an always-
or never-solved problem scores 0, one that is solved half of the time 0.25. Needs pass rates only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from limr.scores.scoring import ProblemSet, Scores, from_pass_rate
from limr.trajectories import curves as tr

TITLE = "Learnability"
NEEDS_TRAJECTORIES = True
SEEDED = False
OPTIONS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "epochs": tr.EPOCHS_OPTION,
    },
}


def score(
    problems: ProblemSet,
    samples: tr.Samples,
    options: Mapping[str, Any],
    rng: np.random.Generator,
) -> Scores:
    """Return p (1 - p) of every problem that was sampled.

    Raises:
        InputError: see `limr.trajectories.curves.Samples.first`.
    """
    samples = samples.first(options["epochs"])
    return from_pass_rate(samples, samples.pass_rate * (1.0 - samples.pass_rate))
