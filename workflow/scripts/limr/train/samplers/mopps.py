"""MoPPS: problems whose pass rate, drawn from its posterior, is nearest to a target.

Each problem has a Beta posterior of its pass rate, a = b = `prior` at first; every step in which it
was drawn, with c of n samples right, a <- λ a + (1 - λ) `prior` + c and
b <- λ b + (1 - λ) `prior` + n - c, λ = `decay` (arXiv 2507.04632). A step draws one rate from each
posterior (Thompson sampling) and takes the problems with the smallest |rate - `target`|.

A reconstruction: MoPPS's code first has its loader draw candidates at random and chooses among
these; here all problems of the arm are candidates. Its samples are those of GRPO, here of PPO.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from limr.core.validation import Keys, Number, key
from limr.statistics import group_signal
from limr.train.drawing import View, nearest

LEAST_SAMPLES = 1


class Options(Keys):
    """Keys of `arms.*.sampler`."""

    target: Number = key(0.5, "The pass rate to be near to.", ge=0, le=1)
    decay: Number = key(
        0.5,
        "What is left of earlier steps' counts at each draw of a problem: 1 forgets nothing, 0 "
        "all. MoPPS has 0.5 or 1, by task.",
        ge=0,
        le=1,
    )
    prior: Number = key(1.0, "Both parameters of the Beta prior of a pass rate.", gt=0)


def choose(view: View, options: Mapping[str, Any]) -> Sequence[int]:
    """Return the problems whose drawn rates are nearest to the target."""
    decay, prior = float(options["decay"]), float(options["prior"])
    right, wrong = group_signal.posterior(*view.visits(), decay, prior)
    rates = view.rng("rates").beta(right, wrong)
    return nearest(np.abs(rates - options["target"]), view)
