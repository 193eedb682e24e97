"""Bottom of LIM: the problems that LIM likes least, as a control.

s_i = -LIM_i, LIM as in the selector `lim` (arXiv 2502.11886), so that the best of these scores are
the worst of LIM's. At least -1; an always-solved problem scores 0, a never-solved one
Σ r̄² / Σ (1 - r̄)² - 1. If LIM measures what matters, training on these must do worse than RAND.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from limr.scores.scoring import ProblemSet, Scores
from limr.scores.selectors import lim
from limr.trajectories import curves as tr

TITLE = "Bottom of LIM"
NEEDS_TRAJECTORIES = True
SEEDED = False
Options = lim.Options


def score(
    problems: ProblemSet,
    samples: tr.Samples,
    options: Mapping[str, Any],
    rng: np.random.Generator,
) -> Scores:
    """Return minus the LIM score; NaN, with LIM's reason, where there is none.

    Raises:
        InputError: see `limr.trajectories.curves.curves`.
    """
    found = lim.score(problems, samples, options, rng)
    return Scores(0.0 - found.values, found.reasons)


def warnings(selected: tr.Flags, samples: tr.Samples, options: Mapping[str, Any]) -> list[str]:
    """Return a warning if problems were selected that were never solved in any used epoch.

    Args:
        selected: (n_problems,) whether a problem was selected.
        samples: see `score`.
        options: see `score`.
    """
    curves = tr.curves(samples, options["epochs"], options["missing"])
    never = lim.never_solved(curves)
    n_chosen = int((never & selected).sum())
    if not n_chosen:
        return []
    return [
        f"{n_chosen} of the {int(selected.sum())} selected problems were never solved in any epoch "
        f"({int(never.sum())} such problems in all). They carry no learning signal, so that a "
        "control made of them says little about LIM; `never_solved: drop` leaves them out."
    ]
