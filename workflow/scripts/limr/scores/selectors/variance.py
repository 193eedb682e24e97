"""Variance: how much a problem's accuracy moves over the epochs (One-Shot RLVR).

s_i = sqrt(1/K Σ_k (r_i^k - m_i)²), m_i = 1/K Σ_k r_i^k: the standard deviation of accuracy over the
epochs, with K in the denominator (arXiv 2504.20571, historical variance score; its square ranks the
same). In [0, 0.5]; a constant curve, and so an always- or never-solved problem, scores 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from limr.scores.scoring import ProblemSet, Scores, from_curves
from limr.trajectories import curves as tr

TITLE = "Variance"
NEEDS_TRAJECTORIES = True
SEEDED = False
OPTIONS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "missing": tr.MISSING_OPTION,
        "epochs": tr.EPOCHS_OPTION,
    },
}

ONE_EPOCH = "one epoch has no variance"


def score(
    problems: ProblemSet,
    samples: tr.Samples,
    options: Mapping[str, Any],
    rng: np.random.Generator,
) -> Scores:
    """Return the standard deviation of every usable curve; one epoch has none.

    Raises:
        InputError: see `limr.trajectories.curves.curves`.
    """
    curves = tr.curves(samples, options["epochs"], options["missing"])
    usable = curves.whole
    if usable.shape[1] < 2:
        return from_curves(curves, np.full(len(usable), np.nan), ONE_EPOCH)
    # Exactly 0 for a constant curve, whose mean may be off by a rounding error.
    return from_curves(curves, np.where(np.ptp(usable, axis=1) > 0, usable.std(axis=1), 0.0))
