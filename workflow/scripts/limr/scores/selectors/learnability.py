"""Learnability: problems that are solved about half of the time (arXiv 2502.12272).

s_i = p_i (1 - p_i), p_i the share of correct samples over all used epochs. In [0, 0.25]; an always-
or never-solved problem scores 0, one that is solved half of the time 0.25. Needs pass rates only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limr.core.validation import Keys
from limr.scores.selector_kinds import by_pass_rate
from limr.trajectories import curves as tr

TITLE = "Learnability"
NEEDS_TRAJECTORIES = True
SEEDED = False


class Options(Keys):
    """Keys of an entry of `scores`."""

    epochs: tr.Epochs = None


@by_pass_rate
def score(samples: tr.Samples, options: Mapping[str, Any]) -> tr.Floats:
    """Return p (1 - p) of every problem that was sampled."""
    return samples.pass_rate * (1.0 - samples.pass_rate)
