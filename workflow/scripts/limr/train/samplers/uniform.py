"""Uniform: every epoch goes through all problems in a fresh order, whatever was seen.

The order that every arm without a sampler has (`limr.train.embedded.order`); named, the same
rollouts, and the metrics count what was drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from limr.train.drawing import View

LEAST_SAMPLES = 1


def choose(view: View, options: Mapping[str, Any]) -> Sequence[int]:
    """Return the step's batch of the order."""
    return view.order.batch(view.step)
