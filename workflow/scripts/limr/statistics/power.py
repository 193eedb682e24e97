"""The smallest difference that a study would find, from its design or from its data.

A difference counts as found where the interval excludes 0. The interval's width is itself
uncertain, the more so the fewer runs there are. Therefore `_DRAWS` widths are drawn from the
distribution of the estimated variances, and the power is averaged over them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from limr.core.random_streams import stream
from limr.statistics.estimates import Estimate, Runs, welch
from limr.statistics.intervals import LEVEL, Floats, two_sided

POWER = 0.8
_DRAWS = 2000


@dataclass(frozen=True)
class Assumed:
    """Assumptions that give a design's variances, for accuracies in [0, 1].

    Attributes:
        accuracy: of both arms.
        between: share of accuracy x (1 - accuracy) that lies between questions; the rest is the
            luck of single responses.
        habit: standard deviation by which a question's chance differs from arm to arm, and again
            from run to run, beyond the arm's mean.
        run: standard deviation between runs of an arm.
        draw: standard deviation between random draws, beyond their runs.
    """

    accuracy: float = 0.5
    between: float = 0.5
    habit: float = 0.05
    run: float = 0.01
    draw: float = 0.01


@dataclass(frozen=True)
class Benchmark:
    """Questions, responses to each in one run, and the weight in the mean."""

    questions: int
    samples: int
    weight: float


def design(
    benchmarks: Mapping[str, Benchmark],
    seeds: int,
    draws: tuple[int, int] = (1, 1),
    assumed: Assumed | None = None,
) -> Estimate:
    """Return the expected estimate of a comparison of two arms whose true difference is 0.

    Args:
        benchmarks: name -> what is asked; weights sum to 1.
        seeds: of each arm and draw.
        draws: of each arm.
        assumed: the variances; None: the defaults.
    """
    assumed = assumed or Assumed()
    luck = (1 - assumed.between) * assumed.accuracy * (1 - assumed.accuracy)
    parts, noises = [], [0.0, 0.0]
    for mark in benchmarks.values():
        each = assumed.habit**2 + luck / mark.samples  # of one run at one question
        by_run = [each / (seeds * n) for n in draws]
        share = mark.weight**2 / mark.questions
        parts.append((share * (2 * assumed.habit**2 + sum(by_run)), max(mark.questions - 1, 1)))
        noises = [noise + share * own for noise, own in zip(noises, by_run, strict=True)]
    runs = []
    for n, noise in zip(draws, noises, strict=True):
        units = n if n > 1 else seeds
        spread = assumed.draw**2 / n if n > 1 else 0.0
        if units > 1:
            runs.append(Runs(spread + assumed.run**2 / (n * seeds) + noise, noise, units - 1))
    questions = sum(mark.questions for mark in benchmarks.values())
    variance = math.fsum(variance for variance, _ in parts)
    return Estimate(0.0, variance, welch(parts), tuple(runs), seeds, questions, is_share=False)


def detectable(estimate: Estimate, level: float = LEVEL, power: float = POWER) -> float:
    """Return the smallest true difference that is found in a share `power` of such studies.

    Args:
        estimate: whose variances are taken for the true ones.
        level: of the interval that must exclude 0.
        power: in (0, 1).
    """
    halves = _half_widths(estimate, level)
    extra = math.fsum(max(0.0, part.raw - part.noise) for part in estimate.runs)
    error = math.sqrt(estimate.question_variance + extra)
    if error == 0:
        return 0.0
    from scipy.optimize import brentq
    from scipy.special import ndtr

    def excess(true: float) -> float:
        found = ndtr((true - halves) / error) + ndtr((-true - halves) / error)
        return float(found.mean()) - power

    if excess(0.0) >= 0:  # more intervals than that exclude 0 by noise alone
        return 0.0
    return float(brentq(excess, 0.0, float(halves.max()) + 10 * error))


def _half_widths(estimate: Estimate, level: float) -> Floats:
    """Return (_DRAWS,) half-widths of intervals, were the estimate's variances the true ones."""
    rng = stream(0, "power")
    questions = estimate.question_variance * _estimated(estimate.question_df, rng)
    total, squares, corrected = np.zeros(_DRAWS), np.zeros(_DRAWS), np.zeros(_DRAWS)
    for part in estimate.runs:
        raw = max(part.raw, part.noise) * _estimated(part.df, rng)
        total, squares = total + raw, squares + raw**2 / part.df
        corrected += raw - part.noise
    df = np.where(squares > 0, total**2 / np.where(squares > 0, squares, 1), np.inf)
    by_run = two_sided(level, np.maximum(df, 1)) ** 2 * np.maximum(corrected, 0)
    halves: Floats = np.sqrt(two_sided(level, estimate.question_df) ** 2 * questions + by_run)
    return halves


def _estimated(df: float, rng: np.random.Generator) -> Floats:
    """Return (_DRAWS,) estimates of a variance of 1 with so many degrees of freedom."""
    return rng.chisquare(df, _DRAWS) / df if math.isfinite(df) else np.ones(_DRAWS)
