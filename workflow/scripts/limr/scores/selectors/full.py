"""Every problem: a constant score, for studies that treat the full set as a selection.

Every problem scores 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from limr.scores.scoring import ProblemSet, Scores
from limr.trajectories import curves as tr

TITLE = "Full set"
NEEDS_TRAJECTORIES = False
SEEDED = False


def score(
    problems: ProblemSet,
    samples: tr.Samples | None,
    options: Mapping[str, Any],
    rng: np.random.Generator,
) -> Scores:
    """Return score 1 for every problem."""
    return Scores(np.ones(len(problems)))
