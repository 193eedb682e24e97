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
from typing import Any

import numpy as np

from limr.scores.scoring import ProblemSet, Scores, from_curves
from limr.trajectories import curves as tr

TITLE = "LINEAR (reconstruction)"
NEEDS_TRAJECTORIES = True
SEEDED = False
THRESHOLD = 0.7  # the paper's, for its own LINEAR
OPTIONS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "variant": {
            "enum": ["alignment", "pearson", "r2"],
            "default": "alignment",
            "description": (
                "What 'steady improvement' means; the paper gives no formula. `alignment`: LIM's "
                "form with the line from 0 to 1 as reference; `pearson`: correlation of accuracy "
                "with the epoch; `r2`: that correlation squared, its sign kept."
            ),
        },
        "missing": tr.MISSING_OPTION,
        "epochs": tr.EPOCHS_OPTION,
    },
}

ONE_EPOCH = "one epoch has no slope"
CONSTANT = "a constant curve has no correlation"


def score(
    problems: ProblemSet,
    samples: tr.Samples,
    options: Mapping[str, Any],
    rng: np.random.Generator,
) -> Scores:
    """Return the score of every problem; NaN with a reason where it is not defined.

    Not defined: an incomplete curve, one epoch only, and for `pearson` and `r2` a constant curve.

    Raises:
        InputError: see `limr.trajectories.curves.curves`.
    """
    curves = tr.curves(samples, options["epochs"], options["missing"])
    usable = curves.whole
    if usable.shape[1] < 2:
        return from_curves(curves, np.full(len(usable), np.nan), ONE_EPOCH)
    return from_curves(curves, rise(usable, options["variant"]), CONSTANT)


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
