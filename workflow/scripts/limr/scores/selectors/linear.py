"""LINEAR, a reconstruction: how steadily a problem's accuracy rises over the epochs.

The paper names a baseline that 'shows consistent, steady improvements' (threshold 0.7) and gives no
formula, in the text or the code. This is therefore NOT the paper's LINEAR. Three readings, with
ℓ_k = (k - 1) / (K - 1), the straight line from 0 in the first epoch to 1 in the last:

- `alignment` (default): LIM's form with the line as reference,
  1 - Σ_k (r_i^k - ℓ_k)² / Σ_k (1 - ℓ_k)²; 1 for an exact rise from 0 to 1, 0 for a problem that is
  always or never solved;
- `pearson`: Pearson's correlation of accuracy with the epoch, in [-1, 1];
- `r2`: the signed share of variance that a straight line explains, ρ·|ρ| with ρ the correlation, so
  that a steady fall is not taken for a steady rise; in [-1, 1].

With `noise` (`limr.scores.noise`) the squares of `alignment` are estimated without the samples'
noise. A correlation has no unbiased estimate: `debias` is refused for the other two, and `shrink`
gives the expected covariance over the root of the expected variance, given the samples; it is 0 for
a curve of which nothing is known, and no curve is constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from limr.core.errors import InputError
from limr.core.validation import Keys, key
from limr.scores.noise import Noise, Rates, line_about_its_mean
from limr.scores.selector_kinds import by_curve
from limr.trajectories import curves as tr

TITLE = "LINEAR (reconstruction)"
NEEDS_TRAJECTORIES = True
SEEDED = False
THRESHOLD = 0.7  # the paper's, for its own LINEAR
ONE_EPOCH = "one epoch has no slope"
CONSTANT = "a constant curve has no correlation"


class Options(Keys):
    """Keys of an entry of `scores`."""

    variant: Literal["alignment", "pearson", "r2"] = key(
        "alignment",
        "What 'steady improvement' means; the paper gives no formula. `alignment`: LIM's form "
        "with the line from 0 to 1 as reference; `pearson`: correlation of accuracy with the "
        "epoch; `r2`: that correlation squared, its sign kept.",
    )
    missing: tr.Missing = "backfill-one"
    epochs: tr.Epochs = None
    noise: Noise = "ignore"


def alignment(accuracy: tr.Floats, spread: tr.Floats | None = None) -> tr.Floats:
    """Return 1 - Σ_k ((r_ik - ℓ_k)² + spread_ik) / Σ_k (1 - ℓ_k)², one score a problem.

    Args:
        accuracy: (n_problems, n_epochs >= 2).
        spread: the same shape, see `limr.scores.noise`; None: 0.
    """
    line = np.linspace(0.0, 1.0, accuracy.shape[1])
    distance = ((accuracy - line) ** 2).sum(axis=1)
    if spread is not None:
        distance = distance + spread.sum(axis=1)
    scores: tr.Floats = 1.0 - distance / ((1.0 - line) ** 2).sum()
    return scores


def correlation(rise: tr.Floats, variance: tr.Floats, n_epochs: int) -> tr.Floats:
    """Return (n_problems,) the correlation of accuracy with the epoch; NaN where there is none.

    Args:
        rise: (n_problems,) of each curve, see `limr.scores.noise.Rates`.
        variance: (n_problems,) of each curve over the epochs; 0 where it is constant.
        n_epochs: 2 or more.
    """
    across = line_about_its_mean(n_epochs)
    spread = np.sqrt(variance * n_epochs * (across**2).sum())
    found = np.full(len(rise), np.nan)
    varies = spread > 0
    found[varies] = np.clip(rise[varies] / spread[varies], -1.0, 1.0)
    return found


@by_curve(ONE_EPOCH, undefined=CONSTANT)
def score(known: Rates, options: Mapping[str, Any]) -> tr.Floats:
    """Return how steadily every usable curve rises; NaN where that is not defined.

    Raises:
        InputError: `noise: debias` of a correlation.
    """
    variant = options["variant"]
    if variant == "alignment":
        return alignment(known.x, known.s)
    if options["noise"] == "debias":
        raise InputError(
            f"selector 'linear': a correlation (`variant: {variant}`) has no unbiased estimate, so "
            "`noise: debias` cannot be had. Use `noise: shrink`, or `variant: alignment`."
        )
    found = correlation(*known.rise_and_variance, known.curves.accuracy.shape[1])
    return found if variant == "pearson" else found * np.abs(found)
