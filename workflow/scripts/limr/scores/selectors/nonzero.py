"""Nonzero: problems that are sometimes solved and sometimes not (DAPO's filter, made offline).

s_i = 1 if 0 < p_i < 1 else 0, p_i the share of correct samples over all used epochs (arXiv
2503.14476 filters each batch so; here it is a choice made once). An always- or never-solved problem
scores 0. Cut it at 1; a smaller size is a random, seeded choice. Needs pass rates only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limr.core.validation import Keys
from limr.scores.selector_kinds import by_choice
from limr.trajectories import curves as tr

TITLE = "Sometimes solved"
NEEDS_TRAJECTORIES = True
SEEDED = False


class Options(Keys):
    """Keys of an entry of `scores`."""

    epochs: tr.Epochs = None


def _chosen(samples: tr.Samples, options: Mapping[str, Any]) -> tr.Flags:
    """Return whether a pass rate lies strictly between 0 and 1."""
    found: tr.Flags = (samples.pass_rate > 0) & (samples.pass_rate < 1)
    return found


score, warnings = by_choice(_chosen, "are always or never solved")
