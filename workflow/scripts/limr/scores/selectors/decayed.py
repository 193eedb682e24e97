"""Decayed: problems whose recent pass rate is nearest to a target; older visits count less (MoPPS).

Each visit k with c of n samples correct updates a Beta posterior of the pass rate (arXiv
2507.04632): a <- λ a + (1 - λ) a₀ + c, b <- λ b + (1 - λ) a₀ + n - c, from a = b = a₀. Then
s_i = -|a / (a + b) - target|. MoPPS draws a rate from the posterior in every step (Thompson
sampling); this is the deterministic version, by the posterior's mean. λ is `decay`, a₀ is `prior`.
With λ = 1 it is `frontier` with the same prior; with λ = 0 only the last visit counts. An epoch
without samples changes nothing, as in MoPPS. In [-1, 0]. Needs pass rates only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from limr.core.validation import Keys, Number, key
from limr.scores.selector_kinds import by_pass_rate
from limr.statistics import group_signal
from limr.trajectories import curves as tr

TITLE = "Recent pass rate (MoPPS)"
NEEDS_TRAJECTORIES = True
SEEDED = False


class Options(Keys):
    """Keys of an entry of `scores`."""

    epochs: tr.Epochs = None
    target: Number = key(0.5, "The pass rate to be near to.", ge=0, le=1)
    decay: Number = key(
        0.8,
        "What is left of earlier visits' counts at each visit: 1 forgets nothing, 0 all. MoPPS has "
        "0.5 or 1, by task.",
        ge=0,
        le=1,
    )
    prior: Number = key(1.0, "Both parameters of the Beta prior of a pass rate.", gt=0)


@by_pass_rate
def score(samples: tr.Samples, options: Mapping[str, Any]) -> tr.Floats:
    """Return minus the distance of every sampled problem's posterior mean to the target."""
    right, wrong = group_signal.posterior(
        samples.n, samples.n_correct, float(options["decay"]), float(options["prior"])
    )
    distance: tr.Floats = np.abs(right / (right + wrong) - options["target"])
    return 0.0 - distance
