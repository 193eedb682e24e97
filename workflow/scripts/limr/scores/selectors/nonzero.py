"""Nonzero: problems that are sometimes solved and sometimes not (DAPO's filter, made offline).

s_i = 1 if 0 < p_i < 1 else 0, p_i the share of correct samples over all used epochs (arXiv
2503.14476 filters each batch so; here it is a choice made once). An always- or never-solved problem
scores 0. Cut it at 1; a smaller size is a random, seeded choice. Needs pass rates only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from limr.scores.scoring import ProblemSet, Scores, drawn_at_random, from_pass_rate
from limr.trajectories import curves as tr

TITLE = "Sometimes solved"
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
    """Return 1 for a pass rate strictly between 0 and 1, else 0.

    Raises:
        InputError: see `limr.trajectories.curves.Samples.first`.
    """
    samples = samples.first(options["epochs"])
    return from_pass_rate(samples, _chosen(samples).astype(float))


def warnings(selected: tr.Flags, samples: tr.Samples, options: Mapping[str, Any]) -> list[str]:
    """Return a warning if the size asked for is larger than the choice: the rest is random.

    Args:
        selected: (n_problems,) whether a problem was selected.
        samples: see `score`.
        options: see `score`.
    """
    chosen = _chosen(samples.first(options["epochs"]))
    return drawn_at_random(selected, chosen, "are always or never solved")


def _chosen(samples: tr.Samples) -> tr.Flags:
    rate = samples.pass_rate
    found: tr.Flags = (rate > 0) & (rate < 1)
    return found
