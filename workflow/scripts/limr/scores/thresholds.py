"""Choosing by score: what reaches a threshold, what is among the best, and the usual thresholds."""

from __future__ import annotations

import numpy as np

from limr.trajectories.curves import Flags, Floats

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def reached(values: Floats, threshold: float, strict: bool = False) -> Flags:
    """Return (n,) which scores are at least a threshold, or above it; NaN never is."""
    chosen: Flags = values > threshold if strict else values >= threshold
    return chosen


def best(values: Floats, size: int, rng: np.random.Generator) -> Flags:
    """Return (n,) which scores are the `size` best; `rng` breaks ties at the last place.

    `size` is at most the number of scores that are not NaN.
    """
    order = np.lexsort((rng.random(len(values)), -values))  # NaN sorts last
    chosen = np.zeros(len(values), bool)
    chosen[order[:size]] = True
    return chosen


def sizes(values: Floats, strict: bool = False) -> dict[str, int]:
    """Return how many scores each of `THRESHOLDS` would select; NaN is never selected."""
    return {
        f"{threshold:g}": int(reached(values, threshold, strict).sum()) for threshold in THRESHOLDS
    }
