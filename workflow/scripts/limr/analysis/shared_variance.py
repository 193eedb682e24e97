"""p values for a grid of cells: how much runs vary is told from all groups, not from a few seeds.

At its own level an interval from three or five seeds is right (docs/statistics.md). A correction
for many tests looks far beyond that level, and there cells are called whose runs happen to look
alike. So each cell is tested twice: with its own groups' variance between runs, and with variances
that were moved towards what is usual at that step (`limr.statistics.moderation`). The larger p
counts.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from limr.analysis import cells, contrasts, results
from limr.analysis.cells import Match, Pair
from limr.analysis.contrasts import Choice, Key
from limr.analysis.results import Inputs
from limr.statistics import estimates, moderation
from limr.statistics.estimates import Estimate, Runs


def p_value(inputs: Inputs, pair: Pair, match: Match, step: int, estimate: Estimate) -> float:
    """Return the larger p of a difference: with its own variance between runs, and the moderated.

    Raises:
        InputError: a run lacks a question.
    """
    return max(estimate.p_value(), moderated(inputs, pair, match, step, estimate).p_value())


def moderated(inputs: Inputs, pair: Pair, match: Match, step: int, estimate: Estimate) -> Estimate:
    """Return a difference whose runs vary as is usual among the cells of a pair at a step.

    Args:
        inputs: what the study has.
        pair: two arms of the file, whose cells are looked at together.
        match: the groups that are compared.
        step: the training step.
        estimate: their difference.

    Raises:
        InputError: a run lacks a question.
    """
    known = _moderated(inputs, pair, step)
    runs = tuple(known[key] for key in _keys(inputs, match, step) if key in known)
    return replace(estimate, runs=runs)


def _keys(inputs: Inputs, match: Match, step: int) -> list[Key]:
    names = match.first.name, match.second.name
    return [key for key, _ in contrasts.terms(inputs, *names, Choice(step=step))]


@results.remembered
def _moderated(inputs: Inputs, pair: Pair, step: int) -> dict[Key, Runs]:
    """Return whose runs -> how they vary, moderated among those with the same kind of units."""
    found: dict[Key, Runs] = {}
    for match in cells.matches(inputs, *pair):
        names = match.first.name, match.second.name
        if all(cells.n_seeds(inputs, name, step) for name in names):
            for key, frames in contrasts.terms(inputs, *names, Choice(step=step)):
                weights = results.declared(inputs).weight(list(frames))
                if own := estimates.of_sum([contrasts.as_arm(frames)], weights).runs:
                    found.setdefault(key, own[0])
    parts = list(found.values())
    units = np.array([part.df + 1 for part in parts], np.float64)
    raw = np.array([part.raw for part in parts], np.float64)
    variances, df = moderation.moderated(raw * units, units - 1)
    return {
        key: Runs(float(variance / n), part.noise, float(own))
        for (key, part), variance, n, own in zip(found.items(), variances, units, df, strict=True)
    }
