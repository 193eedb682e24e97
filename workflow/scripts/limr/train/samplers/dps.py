"""DPS: problems whose next group is most likely mixed, by a Markov chain of each.

A group is all wrong, mixed or all right. Each problem's chain over these states has Dirichlet
counts of its steps, which decay, and a belief about its state; after every training step the belief
moves on, by the group that was seen or, without one, by the chain alone (arXiv 2603.10887;
`limr.statistics.group_signal.mixed_next` has the formulas). A step takes the problems with the
highest probability of a mixed group. Equal probabilities, at first all, are decided at random.

A reconstruction: DPS's code first has its loader draw candidates at random and chooses among these,
and keeps a chain only of problems that were candidates once; here all problems of the arm are
candidates and all chains move from the first step. Of its priors only the uniform one is here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from limr.core.validation import Keys, Number, key
from limr.statistics import group_signal
from limr.train.drawing import View, nearest

LEAST_SAMPLES = 2  # one sample is never mixed


class Options(Keys):
    """Keys of `arms.*.sampler`."""

    decay: Number = key(
        0.5,
        "What is left of earlier steps' counts in each step: 1 forgets nothing, 0 all. DPS's "
        "experiments have 0.5, some 0.7.",
        ge=0,
        le=1,
    )
    prior: Number = key(
        1.0, "Dirichlet count of each step between two states, before any group.", gt=0
    )


def choose(view: View, options: Mapping[str, Any]) -> Sequence[int]:
    """Return the problems with the highest probability of a mixed group."""
    found = group_signal.states(*view.visits())
    decay, prior = float(options["decay"]), float(options["prior"])
    return nearest(1.0 - group_signal.mixed_next(found, decay, prior), view)
