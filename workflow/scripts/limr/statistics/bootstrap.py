"""The question-clustered, paired bootstrap of all arms at once: a check on the intervals.

Questions are resampled with all their samples, the same ones for every arm, so that differences are
paired; runs are resampled for each arm separately. Where an arm has several random draws, draws are
resampled with all their seeds. Resampling n of n items gives a variance that is too small by
(n - 1) / n: half, for two seeds. Therefore n - 1 items are drawn, which makes the variance unbiased
(Rao and Wu 1988). Variation by question and run together is counted more than once, which makes the
interval wide; percentiles take no account of how few the runs are, which makes it narrow
(docs/statistics.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from limr.statistics.estimates import Arm
from limr.statistics.intervals import Floats

RESAMPLES = 10_000


def means(
    arms: Mapping[str, Arm],
    weights: Mapping[str, float],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    runs_of: Mapping[str, str] | None = None,
) -> dict[str, Floats]:
    """Return name of an arm -> (resamples,) means of its accuracy over benchmarks.

    Args:
        arms: name -> results, for the same questions in the same order.
        weights: benchmark -> weight; they sum to 1.
        rng: a named stream.
        resamples: number of resamples.
        runs_of: name -> whose runs these are; what has the same runs, such as two steps of an arm,
            is resampled together. None: everything has runs of its own.
    """
    of = runs_of or {name: name for name in arms}
    runs: dict[str, Floats] = {}
    for name, arm in arms.items():
        if of[name] not in runs:
            runs[of[name]] = _run_weights(arm, resamples, rng)
    found = {name: np.zeros(resamples) for name in arms}
    for benchmark, weight in weights.items():
        shapes = {arm.accuracy[benchmark].shape[1] for arm in arms.values()}
        questions = _weights(shapes.pop(), resamples, rng)
        for name, arm in arms.items():
            by_run = questions @ arm.accuracy[benchmark].T
            found[name] += weight * (by_run * runs[of[name]]).sum(axis=1)
    return found


def percentiles(draws: Floats, level: float) -> tuple[float, float]:
    """Return the percentile interval of bootstrap draws."""
    low, high = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def _run_weights(arm: Arm, resamples: int, rng: np.random.Generator) -> Floats:
    """Return (resamples, n_runs) weights that sum to 1."""
    n_runs = next(iter(arm.accuracy.values())).shape[0]
    names: Sequence[str] = list(dict.fromkeys(arm.draws))
    if len(names) < 2:
        return _weights(n_runs, resamples, rng)
    place = np.array([names.index(name) for name in arm.draws])
    sizes = np.bincount(place)
    weights: Floats = (_weights(len(names), resamples, rng) / sizes)[:, place]
    return weights


def _weights(n: int, resamples: int, rng: np.random.Generator) -> Floats:
    """Return (resamples, n) weights that sum to 1: max(n - 1, 1) draws with replacement."""
    drawn = max(n - 1, 1)
    picks = rng.integers(n, size=(resamples, drawn), dtype=np.int32).astype(np.int64)
    picks += n * np.arange(resamples)[:, np.newaxis]
    counts = np.bincount(picks.ravel(), minlength=n * resamples).reshape(resamples, n)
    return np.asarray(counts / drawn, dtype=np.float64)
