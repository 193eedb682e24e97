"""Window: problems whose pass rate lies between two ends (PRIME, arXiv 2502.01456; Open-R1).

s_i = 1 if low <= p_i <= high else 0, p_i the share of correct samples over all used epochs; both
ends belong to the window. Cut it at 1 for the whole window; a smaller size is a random, seeded
choice of it. An always- or never-solved problem scores 0 unless an end is 1 or 0. Needs pass rates
only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from limr.core.errors import InputError
from limr.scores.scoring import ProblemSet, Scores, drawn_at_random, from_pass_rate
from limr.trajectories import curves as tr

TITLE = "Pass-rate window"
NEEDS_TRAJECTORIES = True
SEEDED = False
OPTIONS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "epochs": tr.EPOCHS_OPTION,
        "low": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "default": 0.2,
            "description": "Lower end of the window, itself in it.",
        },
        "high": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "default": 0.8,
            "description": "Upper end of the window, itself in it.",
        },
    },
}


def score(
    problems: ProblemSet,
    samples: tr.Samples,
    options: Mapping[str, Any],
    rng: np.random.Generator,
) -> Scores:
    """Return 1 for a pass rate within the window, else 0.

    Raises:
        InputError: the ends are in the wrong order, or see
            `limr.trajectories.curves.Samples.first`.
    """
    low, high = options["low"], options["high"]
    if low > high:
        raise InputError(f"selector 'window': low {low:g} lies above high {high:g}. Swap them.")
    samples = samples.first(options["epochs"])
    return from_pass_rate(samples, _chosen(samples, options).astype(float))


def warnings(selected: tr.Flags, samples: tr.Samples, options: Mapping[str, Any]) -> list[str]:
    """Return a warning if the size asked for is larger than the choice: the rest is random.

    Args:
        selected: (n_problems,) whether a problem was selected.
        samples: see `score`.
        options: see `score`.
    """
    chosen = _chosen(samples.first(options["epochs"]), options)
    return drawn_at_random(selected, chosen, "lie outside the window")


def _chosen(samples: tr.Samples, options: Mapping[str, Any]) -> tr.Flags:
    rate = samples.pass_rate
    found: tr.Flags = (rate >= options["low"]) & (rate <= options["high"])
    return found
