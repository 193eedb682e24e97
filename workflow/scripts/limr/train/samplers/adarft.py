"""AdaRFT: problems whose difficulty is nearest to a target, which moves with the share of right.

Difficulties d are brought to [0, 1] by the least and the largest of the arm's problems. The target
T is `start` at first. After every step with the share r of right samples,
T <- clip(T + `step` · tanh(`sensitivity` · (r - `share`)), 0, 1) (arXiv 2504.05520): harder
problems follow where more than `share` is right, easier ones where less. A step takes the problems
with the smallest |d - T|; equal distances are decided at random.

A reconstruction: AdaRFT's difficulties are numbers from 0 to 100, its step is 50 and its tanh's
argument the same; of equal distances its code takes the first problems of the file, again in every
step while the target stays, which with few levels would be always the same problems.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from limr.core.errors import InputError
from limr.core.validation import Keys, Number, key
from limr.train.drawing import View, nearest

LEAST_SAMPLES = 1
NEEDS_DIFFICULTY = True


class Options(Keys):
    """Keys of `arms.*.sampler`."""

    difficulty: str | None = key(
        None,
        "Where difficulties are from; it must be given. `level`: the problems' own levels. "
        "Otherwise the name of a score of this study: the higher, the harder.",
    )
    share: Number = key(0.5, "The share of right samples that is aimed at.", ge=0, le=1)
    sensitivity: Number = key(2.0, "How much a distance from `share` counts.", gt=0)
    step: Number = key(
        0.5, "Most that the target moves in a step; difficulties are from 0 to 1.", gt=0, le=1
    )
    start: Number = key(0.0, "The first target: 0 is the easiest problem.", ge=0, le=1)


def check(options: Mapping[str, Any]) -> None:
    """Refuse options without difficulties.

    Raises:
        InputError: there are none.
    """
    if options["difficulty"] is None:
        raise InputError(
            "sampler 'adarft' needs `difficulty`: `level` for the problems' own levels, or the "
            "name of a score, such as one with `selector: external` for a file of your own."
        )


def choose(view: View, options: Mapping[str, Any]) -> Sequence[int]:
    """Return the problems whose difficulty is nearest to the target."""
    assert view.difficulty is not None  # noqa: S101 - `limr.train.drawing` refuses it before
    target = float(options["start"])
    for draw in view.draws:
        right = sum(group.right for group in draw.groups)
        share = right / sum(group.samples for group in draw.groups)
        moved = options["step"] * math.tanh(options["sensitivity"] * (share - options["share"]))
        target = min(1.0, max(0.0, target + moved))
    return nearest(np.abs(view.difficulty - target), view)
