"""GRESO: how likely a problem is to be sampled again, after groups without any signal.

z_i is the number of the problem's last visits in a row whose groups were all right, or all wrong.
s_i = max(p^z_i, `least`), p = `easy` for all right and `hard` for all wrong; 1 where the last group
was mixed. This is 1 minus the probability with which GRESO leaves a problem out (arXiv 2506.02177).
As in its code, a row is of one kind: all right after all wrong begins a new one. GRESO moves both p
during training towards a wanted share of groups without signal, from 0.5 each; here they stay. In
[`least`, 1], with many ties. A visit of one sample cannot be mixed and counts as none; a problem
with no other visits has no score.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from limr.core.validation import Keys, Number, key
from limr.scores.selector_kinds import by_group
from limr.statistics.group_signal import ALL_RIGHT, MIXED, NO_GROUP, States
from limr.trajectories import curves as tr

TITLE = "Sampled again (GRESO)"
NEEDS_TRAJECTORIES = True
SEEDED = False


class Options(Keys):
    """Keys of an entry of `scores`."""

    epochs: tr.Epochs = None
    easy: Number = key(
        0.5, "Probability of being sampled again after one group that was all right.", ge=0, le=1
    )
    hard: Number = key(
        0.5, "Probability of being sampled again after one group that was all wrong.", ge=0, le=1
    )
    least: Number = key(
        0.01, "Least probability of being sampled again, however long the row.", ge=0, le=1
    )


@by_group
def score(states: States, options: Mapping[str, Any]) -> tr.Floats:
    """Return the probability that each problem is sampled again."""
    kind = np.full(len(states), NO_GROUP, states.dtype)  # of the last group
    row = np.zeros(len(states), np.int64)
    unbroken = np.ones(len(states), bool)
    for visit in states.T[::-1]:
        seen = visit != NO_GROUP
        kind = np.where(kind == NO_GROUP, visit, kind)
        unbroken &= ~seen | ((visit == kind) & (kind != MIXED))
        row += seen & unbroken
    chance = np.where(kind == ALL_RIGHT, options["easy"], options["hard"]) ** row
    return np.where(row > 0, np.maximum(chance, options["least"]), 1.0)
