"""Window: problems whose pass rate lies between two ends (PRIME, arXiv 2502.01456; Open-R1).

s_i = 1 if low <= p_i <= high else 0, p_i the share of correct samples over all used epochs; both
ends belong to the window. Cut it at 1 for the whole window; a smaller size is a random, seeded
choice of it. An always- or never-solved problem scores 0 unless an end is 1 or 0. Needs pass rates
only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limr.core.errors import InputError
from limr.core.validation import Keys, Number, key
from limr.scores.selector_kinds import by_choice
from limr.trajectories import curves as tr

TITLE = "Pass-rate window"
NEEDS_TRAJECTORIES = True
SEEDED = False


class Options(Keys):
    """Keys of an entry of `scores`."""

    epochs: tr.Epochs = None
    low: Number = key(0.2, "Lower end of the window, itself in it.", ge=0, le=1)
    high: Number = key(0.8, "Upper end of the window, itself in it.", ge=0, le=1)


def _chosen(samples: tr.Samples, options: Mapping[str, Any]) -> tr.Flags:
    """Return whether a pass rate lies within the window.

    Raises:
        InputError: the ends are in the wrong order.
    """
    low, high = options["low"], options["high"]
    if low > high:
        raise InputError(f"selector 'window': low {low:g} lies above high {high:g}. Swap them.")
    found: tr.Flags = (samples.pass_rate >= low) & (samples.pass_rate <= high)
    return found


score, warnings = by_choice(_chosen, "lie outside the window")
