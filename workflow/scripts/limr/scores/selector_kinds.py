"""Selectors in a few lines: a rule for pass rates, visits or curves becomes `score` and `warnings`.

What every selector must do is done here once: take the wanted epochs, leave out problems that were
never sampled or whose curve has a gap, and say why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from limr.scores.noise import Rates, rates
from limr.scores.scoring import ProblemSet, Scores, drawn_at_random, from_curves, from_pass_rate
from limr.statistics import group_signal
from limr.statistics.group_signal import NO_GROUP, States
from limr.trajectories import curves as tr

Options = Mapping[str, Any]
Score = Callable[[ProblemSet, tr.Samples, Options, np.random.Generator], Scores]
Warnings = Callable[[tr.Flags, tr.Samples, Options], list[str]]
RateRule = Callable[[tr.Samples, Options], tr.Floats]
Choice = Callable[[tr.Samples, Options], tr.Flags]
CurveRule = Callable[[Rates, Options], tr.Floats]
GroupRule = Callable[[States, Options], tr.Floats]

NO_GROUPS = "no epoch with two samples or more, so no group could be mixed"


def by_pass_rate(rule: RateRule, undefined: str = "") -> Score:
    """Return the `score` of a selector that needs pass rates only.

    Args:
        rule: the samples of the used epochs and the selector's options -> (n_problems,) scores;
            those of problems that were never sampled do not count.
        undefined: why the rule gives no score, NaN, to some sampled problems, where it does.
    """

    def score(
        problems: ProblemSet, samples: tr.Samples, options: Options, rng: np.random.Generator
    ) -> Scores:
        used = samples.within(options["epochs"])
        return from_pass_rate(used, rule(used, options), undefined)

    score.__doc__ = rule.__doc__
    return score


def by_choice(rule: Choice, others: str) -> tuple[Score, Warnings]:
    """Return `score` and `warnings` of a selector that says yes (1) or no (0) to each problem.

    Args:
        rule: the samples of the used epochs and the selector's options -> (n_problems,) yes or no.
        others: what the problems are that it says no to, such as "lie outside the window": the
            warning says so where more problems are asked for than it says yes to.
    """

    def warnings(selected: tr.Flags, samples: tr.Samples, options: Options) -> list[str]:
        return drawn_at_random(selected, rule(samples.within(options["epochs"]), options), others)

    return by_pass_rate(lambda samples, options: rule(samples, options).astype(float)), warnings


def by_group(rule: GroupRule) -> Score:
    """Return the `score` of a selector that asks of a visit only whether its group had a signal.

    A problem without any visit of two samples or more has no score: one sample is never mixed.

    Args:
        rule: (n_problems, n_epochs) each visit's `ALL_WRONG`, `MIXED` or `ALL_RIGHT`, or `NO_GROUP`
            where there were less than two samples, and the selector's options -> (n_problems,)
            scores.
    """

    def score(
        problems: ProblemSet, samples: tr.Samples, options: Options, rng: np.random.Generator
    ) -> Scores:
        used = samples.within(options["epochs"])
        found = group_signal.states(used.n, used.n_correct)
        sampled: tr.Flags = np.asarray((used.n > 0).any(axis=1))
        grouped: tr.Flags = np.asarray((found != NO_GROUP).any(axis=1))
        values = np.where(grouped, rule(found, options), np.nan)
        return Scores(values, {tr.NOT_SAMPLED: ~sampled, NO_GROUPS: sampled & ~grouped})

    score.__doc__ = rule.__doc__
    return score


def by_curve(one_epoch: str, undefined: str = "") -> Callable[[CurveRule], Score]:
    """Return a decorator that makes the `score` of a selector of curves of two epochs or more.

    Its rule gets what is known of the usable curves by the options `epochs`, `missing` and `noise`
    (`limr.scores.noise.Rates`), and gives them one score each.

    Args:
        one_epoch: why nothing is scored where there is one epoch only.
        undefined: why a curve may have no score, where that can be.
    """

    def made(rule: CurveRule) -> Score:
        def score(
            problems: ProblemSet, samples: tr.Samples, options: Options, rng: np.random.Generator
        ) -> Scores:
            known = rates(samples, options)
            if known.curves.accuracy.shape[1] < 2:
                nothing = np.full(int(known.curves.usable.sum()), np.nan)
                return from_curves(known.curves, nothing, one_epoch)
            return from_curves(known.curves, rule(known, options), undefined)

        score.__doc__ = rule.__doc__
        return score

    return made
