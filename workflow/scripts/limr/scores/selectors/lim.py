"""LIM: how closely a problem's learning curve follows the mean curve of all problems.

s_i = 1 - Σ_k (r_i^k - r̄_k)² / Σ_k (1 - r̄_k)², k = 1..K (arXiv 2502.11886, LIM), on
accuracy as in the paper's code (the share of samples that are correct), not on the reward. At most
1, exactly 0 for a problem that is always solved, unbounded below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from limr.core.validation import Keys, key
from limr.scores.noise import Noise, Rates, rates
from limr.scores.scoring import ProblemSet, Scores, from_curves
from limr.trajectories import curves as tr

TITLE = "LIM"
NEEDS_TRAJECTORIES = True
SEEDED = False
THRESHOLD = 0.6  # the paper's


class Options(Keys):
    """Keys of an entry of `scores`."""

    missing: tr.Missing = "backfill-one"
    epochs: tr.Epochs = None
    noise: Noise = "ignore"
    never_solved: Literal["warn", "drop"] = key(
        "warn",
        "A problem that was never solved scores 1 - Σ r̄² / Σ (1 - r̄)²: high while the mean "
        "accuracy is low. `warn` (the paper's rule): it is scored like any other, and the "
        "subset's record warns if any are selected. `drop`: it is not scored.",
    )


_ROWS = 16384
ALL_SOLVED = "the mean curve is 1 in every epoch, so LIM is not defined"
NEVER_SOLVED = "never solved"


def alignment(
    accuracy: tr.Floats, reference: tr.Floats, spread: tr.Floats | float = 0.0, shared: float = 0.0
) -> tr.Floats:
    """Return 1 - Σ_k (r_ik - r̄_k)² / Σ_k (1 - r̄_k)² for each row (paper, LIM score).

    Args:
        accuracy: (n_problems, n_epochs) in [0, 1].
        reference: (n_epochs,) the mean curve; not 1 throughout.
        spread: (n_problems,) what is added to each numerator, see `limr.scores.noise`.
        shared: what is added to every numerator and to the denominator, whose sum is not 0.

    Returns:
        (n_problems,) scores, at most 1 unless a spread is negative.
    """
    # The same operations in the same order as for a row of ones: an always-solved problem gets
    # exactly 0, not a rounding error.
    largest = ((np.ones((1, len(reference))) - reference) ** 2).sum(axis=1) + shared
    added = np.broadcast_to(spread, len(accuracy)) + shared
    scores = np.empty(len(accuracy))
    for first in range(0, len(accuracy), _ROWS):  # large studies: no second and third matrix
        which = slice(first, first + _ROWS)
        distance = ((accuracy[which] - reference) ** 2).sum(axis=1) + added[which]
        scores[which] = 1.0 - distance / largest
    return scores


def of_rates(known: Rates) -> tr.Floats | None:
    """Return (n_usable,) LIM scores; None where the mean curve cannot be told from 1."""
    reference, n = known.x.mean(axis=0), len(known.x)
    if known.s is None:
        return alignment(known.x, reference) if (reference < 1).any() else None
    shared, largest = float(known.s.mean(axis=0).sum() / n), float(((1 - reference) ** 2).sum())
    if largest + shared <= 1e-9 * largest:  # where it should be 0 it may be a rounding error
        return None
    return alignment(known.x, reference, known.s.sum(axis=1) * (1 - 2 / n), shared)


def never_solved(curves: tr.Curves) -> tr.Flags:
    """Return (n_problems,) which usable curves are 0 throughout."""
    flags: tr.Flags = (curves.accuracy == 0).all(axis=1)  # a gap is NaN, which is not 0
    return flags


def _scored(samples: tr.Samples, options: Mapping[str, Any]) -> tuple[tr.Curves, tr.Floats | None]:
    """Return the curves and `of_rates`, never-solved problems included."""
    known = rates(samples, options)
    return known.curves, of_rates(known) if len(known.x) else np.empty(0)


def score(
    problems: ProblemSet,
    samples: tr.Samples,
    options: Mapping[str, Any],
    rng: np.random.Generator,
) -> Scores:
    """Return the LIM score of every problem; NaN with a reason where its curve is incomplete.

    Where every usable problem is solved in every epoch the denominator is 0: all scores are NaN.
    Where none is ever solved, or there is one problem only, the curve is the mean curve: it scores
    1.

    Raises:
        InputError: see `limr.trajectories.curves.curves`.
    """
    curves, values = _scored(samples, options)
    if values is None:
        return from_curves(curves, np.full(int(curves.usable.sum()), np.nan), ALL_SOLVED)
    if options["never_solved"] == "drop":
        values[never_solved(curves)[curves.usable]] = np.nan
    return from_curves(curves, values, NEVER_SOLVED)


def warnings(selected: tr.Flags, samples: tr.Samples, options: Mapping[str, Any]) -> list[str]:
    """Return a warning if problems were selected that were never solved in any used epoch.

    Args:
        selected: (n_problems,) whether a problem was selected.
        samples: see `score`.
        options: see `score`.
    """
    curves, values = _scored(samples, options)
    never = never_solved(curves) & curves.usable
    n_chosen = int((never & selected).sum())
    if not n_chosen or values is None:
        return []
    passes = float(np.median(values[never[curves.usable]]))
    every = "every one of them" if options["noise"] != "shrink" else "such a problem about"
    return [
        f"{n_chosen} of the {int(selected.sum())} selected problems were never solved in any epoch "
        f"({int(never.sum())} such problems in all). LIM gives {every} {passes:.3f}, "
        f"because the mean accuracy is only {curves.mean.mean():.3f}: at a flat mean curve a "
        "never-solved problem passes 0.6 below a mean accuracy of .387. They carry no learning "
        "signal yet; train longer before scoring, raise the threshold, or set `never_solved: drop`."
    ]
