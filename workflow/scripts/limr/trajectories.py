"""Learning curves: the table of a problem's accuracy by epoch, as matrices, and missing epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from limr.errors import InputError, nearest

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# How a problem is treated that was not sampled in every epoch; the first one is the paper's code's.
MISSING_RULES = ("backfill-one", "strict")

MISSING_OPTION = {
    "enum": list(MISSING_RULES),
    "default": MISSING_RULES[0],
    "description": (
        "What to do with an epoch in which a problem was not sampled. `backfill-one` (the paper's "
        "code): it takes the next epoch's value if that one is there; a problem with an epoch "
        "still missing is not scored. `strict`: a problem with a missing epoch is not scored."
    ),
}
EPOCHS_OPTION = {
    "type": ["integer", "null"],
    "minimum": 1,
    "default": None,
    "description": "Score from the first so many epochs; null: all that were recorded.",
}

NOT_SAMPLED = "not sampled in any epoch"
INCOMPLETE = "an epoch is missing"


@dataclass(frozen=True)
class Curves:
    """Learning curves that are ready to be scored.

    Attributes:
        accuracy: (n_problems, n_epochs) accuracy in [0, 1] after the missing-epoch rule; NaN =
            still missing.
        usable: (n_problems,) whether every epoch is there.
        mean: (n_epochs,) mean accuracy over the usable problems, the paper's reference curve;
            NaN where there is no usable problem.
        reason: (n_problems,) why a problem is not usable, "" where it is.
    """

    accuracy: Floats
    usable: Flags
    mean: Floats
    reason: list[str]


def n_epochs(trajectories: pd.DataFrame, epochs: int | None = None) -> int:
    """Return the number of epochs to use: `epochs`, or all that were recorded.

    Raises:
        InputError: no rows, or more epochs are asked for than were recorded.
    """
    if trajectories.empty:
        raise InputError("trajectories: no rows, so there is nothing to score from.")
    recorded = int(trajectories["epoch"].max()) + 1
    if epochs is not None and epochs > recorded:
        raise InputError(
            f"trajectories: {epochs} epochs are asked for, {recorded} are recorded. "
            f"Ask for at most {recorded}."
        )
    return recorded if epochs is None else epochs


def accuracy_matrix(
    trajectories: pd.DataFrame, problem_ids: Sequence[str], epochs: int | None = None
) -> Floats:
    """Return (n_problems, n_epochs) accuracy n_correct / n in [0, 1]; NaN = not sampled.

    Args:
        trajectories: see `limr.records.TRAJECTORIES`; at most one row a problem and epoch.
        problem_ids: the rows of the result, in order.
        epochs: the first so many epochs; None: all.

    Raises:
        InputError: see `n_epochs`; or a row's problem is not in `problem_ids`.
    """
    width = n_epochs(trajectories, epochs)
    position = pd.Index(problem_ids).get_indexer(pd.Index(trajectories["problem_id"]))
    if (position < 0).any():
        unknown = trajectories["problem_id"].iloc[int(np.argmax(position < 0))]
        raise InputError(
            f"trajectories: problem_id '{unknown}' is not among the problems."
            f"{nearest(unknown, problem_ids) if len(problem_ids) < 100 else ''}"
        )
    epoch = trajectories["epoch"].to_numpy()
    kept = epoch < width
    matrix = np.full((len(problem_ids), width), np.nan)
    accuracy = trajectories["n_correct"].to_numpy(float) / trajectories["n"].to_numpy(float)
    matrix[position[kept], epoch[kept]] = accuracy[kept]
    return matrix


def fill_missing(accuracy: Floats, rule: str) -> Floats:
    """Return a copy with missing epochs filled by the rule (one of `MISSING_RULES`).

    `backfill-one` is one step deep, as in the paper's code: of two missing epochs in a row only the
    second is filled, and the last epoch never is. `strict` fills nothing.

    Raises:
        InputError: there is no such rule.
    """
    if rule not in MISSING_RULES:
        raise InputError(f"missing: there is no rule '{rule}'.{nearest(rule, MISSING_RULES)}")
    filled = accuracy.copy()
    if rule == "backfill-one":
        # The values before filling are looked at, so a filled epoch never fills another one.
        filled[:, :-1] = np.where(np.isnan(accuracy[:, :-1]), accuracy[:, 1:], accuracy[:, :-1])
    return filled


def mean_curve(accuracy: Floats) -> Floats:
    """Return (n_epochs,) mean accuracy over the problems without a missing epoch (paper, r̄_k)."""
    complete = accuracy[~np.isnan(accuracy).any(axis=1)]
    return complete.mean(axis=0) if len(complete) else np.full(accuracy.shape[1], np.nan)


def curves(
    trajectories: pd.DataFrame,
    problem_ids: Sequence[str],
    epochs: int | None = None,
    missing: str = MISSING_RULES[0],
) -> Curves:
    """Return the learning curves after the missing-epoch rule (see `Curves`).

    Raises:
        InputError: see `accuracy_matrix` and `fill_missing`.
    """
    sampled = accuracy_matrix(trajectories, problem_ids, epochs)
    filled = fill_missing(sampled, missing)
    usable = np.asarray(~np.isnan(filled).any(axis=1))
    absent = np.asarray(np.isnan(sampled).all(axis=1))
    reason = [
        "" if whole else NOT_SAMPLED if none else INCOMPLETE
        for whole, none in zip(usable, absent, strict=True)
    ]
    return Curves(filled, usable, mean_curve(filled), reason)


def solved(trajectories: pd.DataFrame) -> pd.DataFrame:
    """Return how each sampled problem fared over all epochs.

    Returns:
        problem_id, n, n_correct, and `solved`: "never", "sometimes" or "always".
    """
    totals = trajectories.groupby("problem_id", sort=False)[["n", "n_correct"]].sum().reset_index()
    totals["solved"] = np.select(
        [totals["n_correct"] == 0, totals["n_correct"] == totals["n"]],
        ["never", "always"],
        "sometimes",
    )
    return totals
