"""Learnability: problems that are solved about half of the time (arXiv 2502.12272).

s_i = p_i (1 - p_i), p_i the share of correct samples over all used epochs. In [0, 0.25]; an always-
or never-solved problem scores 0, one that is solved half of the time 0.25. Needs pass rates only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from limr.trajectories import curves as tr
from limr.scores.scoring import Candidates, Scores, from_pass_rate

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
    problems: Candidates,
    taken: tr.Samples,
    options: Mapping[str, Any],
    rng: np.random.Generator,
) -> Scores:
    """Return p (1 - p) of every problem that was sampled.

    Raises:
        InputError: see `limr.trajectories.curves.Samples.first`.
    """
    taken = taken.first(options["epochs"])
    return from_pass_rate(taken, taken.pass_rate * (1.0 - taken.pass_rate))
