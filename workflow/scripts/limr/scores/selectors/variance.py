"""Variance: how much a problem's accuracy moves over the epochs (One-Shot RLVR).

s_i = sqrt(1/K Σ_k (r_i^k - m_i)²), m_i = 1/K Σ_k r_i^k: the standard deviation of accuracy over the
epochs, with K in the denominator (arXiv 2504.20571, historical variance score; its square ranks the
same). In [0, 0.5]; a constant curve, and so an always- or never-solved problem, scores 0.

With `noise` (`limr.scores.noise`) the square of the score is an estimate of the variance of the
true rates: unbiased (`debias`), or its expectation given the samples (`shrink`). An unbiased
estimate of a small variance is often negative; its score is then minus the root of its size, so
that the order is that of the variances.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from limr.core.validation import Keys
from limr.scores.noise import Noise, Rates
from limr.scores.resampling import Scale
from limr.scores.selector_kinds import by_curve
from limr.trajectories import curves as tr

TITLE = "Variance"
NEEDS_TRAJECTORIES = True
SEEDED = False
ONE_EPOCH = "one epoch has no variance"


class Options(Keys):
    """Keys of an entry of `scores`."""

    missing: tr.Missing = "backfill-one"
    epochs: tr.Epochs = None
    noise: Noise = "ignore"


def _squared(score: npt.NDArray[Any]) -> npt.NDArray[Any]:
    found: npt.NDArray[Any] = np.abs(score) * score
    return found


def _root(square: npt.NDArray[Any]) -> npt.NDArray[Any]:
    found: npt.NDArray[Any] = np.sign(square) * np.sqrt(np.abs(square))
    return found


# The root is steep at 0: draws about a debiased score are centred on its square.
SCALE_WITHOUT_NOISE = Scale(_squared, _root, least=0.0)


@by_curve(ONE_EPOCH)
def score(known: Rates, options: Mapping[str, Any]) -> tr.Floats:
    """Return the standard deviation of every usable curve; one epoch has none."""
    if options["noise"] == "ignore":
        # Exactly 0 for a constant curve, whose mean may be off by a rounding error.
        constant = (known.x == known.x[:, :1]).all(axis=1)
        return np.where(constant, 0.0, known.x.std(axis=1))
    return _root(known.variance)
