"""How many scores reach each of the usual thresholds."""

from __future__ import annotations

from limr.trajectories import Floats

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def sizes(values: Floats, strict: bool = False) -> dict[str, int]:
    """Return how many scores each of `THRESHOLDS` would select; NaN is never selected."""
    return {
        f"{threshold:g}": int(((values > threshold) if strict else (values >= threshold)).sum())
        for threshold in THRESHOLDS
    }
