"""LIM: how closely a problem's learning curve follows the mean curve of all problems.

s_i = 1 - Σ_k (r_i^k - r̄_k)² / Σ_k (1 - r̄_k)², k = 1..K (arXiv 2502.11886, LIM), on
accuracy as in the paper's code (the share of samples that are correct), not on the reward. At most
1, exactly 0 for a problem that is always solved, unbounded below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from limr import trajectories as tr

TITLE = "LIM"
NEEDS_TRAJECTORIES = True
SEEDED = False
OPTIONS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "missing": tr.MISSING_OPTION,
        "epochs": tr.EPOCHS_OPTION,
        "never_solved": {
            "enum": ["warn", "drop"],
            "default": "warn",
            "description": (
                "A problem that was never solved scores 1 - Σ r̄² / Σ (1 - r̄)²: high while the mean "
                "accuracy is low. `warn` (the paper's rule): it is scored like any other, and the "
                "subset's record warns if any are selected. `drop`: it is not scored."
            ),
        },
    },
}

ALL_SOLVED = "the mean curve is 1 in every epoch, so LIM is not defined"
NEVER_SOLVED = "never solved"


def alignment(accuracy: tr.Floats, reference: tr.Floats) -> tr.Floats:
    """Return 1 - Σ_k (r_ik - r̄_k)² / Σ_k (1 - r̄_k)² for each row (paper, LIM score).

    Args:
        accuracy: (n_problems, n_epochs) in [0, 1].
        reference: (n_epochs,) the mean curve; not 1 throughout.

    Returns:
        (n_problems,) scores, at most 1.
    """
    distance = ((accuracy - reference) ** 2).sum(axis=1)
    # The same operations in the same order as for a row of ones: an always-solved problem gets
    # exactly 0, not a rounding error.
    largest = ((np.ones((1, len(reference))) - reference) ** 2).sum(axis=1)
    scores: tr.Floats = 1.0 - distance / largest
    return scores


def score(
    problems: pd.DataFrame,
    trajectories: pd.DataFrame | None,
    options: Mapping[str, Any],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the LIM score of every problem; NaN with a reason where its curve is incomplete.

    Where every usable problem is solved in every epoch the denominator is 0: all scores are NaN.

    Raises:
        InputError: see `limr.trajectories.curves`.
    """
    if trajectories is None:
        raise ValueError("this selector needs trajectories")
    ids = list(problems["problem_id"])
    curves = tr.curves(trajectories, ids, options["epochs"], options["missing"])
    reason = list(curves.reason)
    scores = np.full(len(ids), np.nan)
    if curves.usable.any() and not (curves.mean < 1).any():
        reason = [text or ALL_SOLVED for text in reason]
    else:
        scores[curves.usable] = alignment(curves.accuracy[curves.usable], curves.mean)
    if options["never_solved"] == "drop":
        never = curves.usable & (np.nan_to_num(curves.accuracy, nan=1.0) == 0).all(axis=1)
        scores[never] = np.nan
        reason = [NEVER_SOLVED if hit else text for hit, text in zip(never, reason, strict=True)]
    return pd.DataFrame({"problem_id": ids, "score": scores, "reason": reason})


def warnings(
    selected: Sequence[str],
    problems: pd.DataFrame,
    trajectories: pd.DataFrame,
    options: Mapping[str, Any],
) -> list[str]:
    """Return a warning if problems were selected that were never solved in any used epoch."""
    ids = list(problems["problem_id"])
    curves = tr.curves(trajectories, ids, options["epochs"], options["missing"])
    never = curves.usable & (np.nan_to_num(curves.accuracy, nan=1.0) == 0).all(axis=1)
    chosen = set(selected)
    n_chosen = sum(ids[row] in chosen for row in np.flatnonzero(never))
    if not n_chosen or not (curves.mean < 1).any():
        return []
    passes = alignment(np.zeros((1, len(curves.mean))), curves.mean)[0]
    return [
        f"{n_chosen} of the {len(chosen)} selected problems were never solved in any epoch "
        f"({int(never.sum())} such problems in all). LIM gives every one of them {passes:.3f}, "
        f"because the mean accuracy is only {curves.mean.mean():.3f}: at a flat mean curve a "
        "never-solved problem passes 0.6 below a mean accuracy of .387. They carry no learning "
        "signal yet; train longer before scoring, raise the threshold, or set `never_solved: drop`."
    ]
