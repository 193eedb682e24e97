"""Variance: how much a problem's accuracy moves over the epochs (One-Shot RLVR).

s_i = sqrt(1/K Σ_k (r_i^k - m_i)²), m_i = 1/K Σ_k r_i^k: the standard deviation of accuracy over the
epochs, with K in the denominator (arXiv 2504.20571, historical variance score; its square ranks the
same). In [0, 0.5]; a constant curve, and so an always- or never-solved problem, scores 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from limr.core.validation import Keys
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


@by_curve(ONE_EPOCH)
def score(curves: tr.Floats, options: Mapping[str, Any]) -> tr.Floats:
    """Return the standard deviation of every usable curve; one epoch has none."""
    # Exactly 0 for a constant curve, whose mean may be off by a rounding error.
    return np.where(np.ptp(curves, axis=1) > 0, curves.std(axis=1), 0.0)
