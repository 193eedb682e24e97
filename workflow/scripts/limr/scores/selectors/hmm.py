"""HMM: how likely the next group of samples is mixed, by each problem's own Markov chain (DPS).

A visit's group is all wrong, mixed or all right: state 0, 1 or 2 (arXiv 2603.10887, and its code).
Each problem has Dirichlet counts A, A_ji for a step from state i to state j, all `prior` at first,
P_ji = A_ji / Σ_j A_ji, and a belief π over the states, uniform at first. In every epoch:

- π' = the observed state for certain; without a group, the belief π itself;
- A <- γ A + (1 - γ) `prior` + Ξ, Ξ_ji = π'_j P_ji ρ_i / Σ_ji π'_j P_ji ρ_i, ρ the last epoch's π'
  (uniform before the first); without a group Ξ = 0; γ is `decay`;
- π = P π' with the new A: the belief about the next epoch.

s_i = π_mixed after the last epoch, in [0, 1]. DPS takes this step once for every batch of training
and updates the state after it; here an epoch is the step. A visit of one sample cannot be mixed and
counts as none; a problem with no other visits has no score.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limr.core.validation import Keys, Number, key
from limr.scores.selector_kinds import by_group
from limr.statistics import group_signal
from limr.statistics.group_signal import States
from limr.trajectories import curves as tr

TITLE = "Predicted to be mixed (DPS)"
NEEDS_TRAJECTORIES = True
SEEDED = False


class Options(Keys):
    """Keys of an entry of `scores`."""

    epochs: tr.Epochs = None
    decay: Number = key(
        0.5,
        "What is left of earlier steps' counts in each epoch: 1 forgets nothing, 0 all. DPS's "
        "experiments have 0.5, some 0.7.",
        ge=0,
        le=1,
    )
    prior: Number = key(
        1.0, "Dirichlet count of each step between two states, before any visit.", gt=0
    )


@by_group
def score(states: States, options: Mapping[str, Any]) -> tr.Floats:
    """Return the probability that the next group is mixed."""
    return group_signal.mixed_next(states, float(options["decay"]), float(options["prior"]))
