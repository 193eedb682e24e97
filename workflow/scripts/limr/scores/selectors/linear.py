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
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from limr.core.validation import Keys, key
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


def rise(accuracy: tr.Floats, variant: str) -> tr.Floats:
    """Return (n_problems,) how steadily each row of (n_problems, n_epochs >= 2) rises."""
    line = np.linspace(0.0, 1.0, accuracy.shape[1])
    if variant == "alignment":
        scores: tr.Floats = 1.0 - ((accuracy - line) ** 2).sum(axis=1) / ((1.0 - line) ** 2).sum()
        return scores
    centred = accuracy - accuracy.mean(axis=1, keepdims=True)
    across = line - line.mean()
    spread = np.sqrt((centred**2).sum(axis=1) * (across**2).sum())
    varies = np.ptp(accuracy, axis=1) > 0
    correlation = np.full(len(accuracy), np.nan)
    correlation[varies] = np.clip((centred @ across)[varies] / spread[varies], -1.0, 1.0)
    return correlation if variant == "pearson" else correlation * np.abs(correlation)


@by_curve(ONE_EPOCH, undefined=CONSTANT)
def score(curves: tr.Floats, options: Mapping[str, Any]) -> tr.Floats:
    """Return how steadily every usable curve rises; NaN where that is not defined."""
    return rise(curves, options["variant"])
