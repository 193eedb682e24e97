"""Random: scores uniform on [0, 1), so that any size or threshold is a random subset (RAND).

A score depends on the seed, on the name of the scores and on a problem's position: the same
problems in another order are another draw. `stratify: level` spreads every subset over the levels
in proportion to their numbers: the levels take turns, each fills its turns with its problems in
random order, and turn t = 0..N-1 scores 1 - t / N. For every k the best k hold less than one
problem more or less than k n_level / N of a level. Samples do not matter, so an always- or
never-solved problem scores like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from limr.core.errors import InputError
from limr.core.validation import Keys, key
from limr.scores.scoring import ProblemSet, Scores
from limr.trajectories import curves as tr

TITLE = "Random"
NEEDS_TRAJECTORIES = False
SEEDED = True


class Options(Keys):
    """Keys of an entry of `scores`."""

    stratify: Literal["none", "level"] = key(
        "none",
        "`level`: a subset of any size holds each level in proportion to its number of problems. "
        "Problems without a level count as a level of their own.",
    )


def score(
    problems: ProblemSet,
    samples: tr.Samples | None,
    options: Mapping[str, Any],
    rng: np.random.Generator,
) -> Scores:
    """Return a score for every problem, in [0, 1].

    Raises:
        InputError: `stratify: level`, and no problem has a level.
    """
    drawn = rng.random(len(problems))
    if options["stratify"] == "none":
        return Scores(drawn)
    levels = np.array([-1 if level is None else level for level in problems.levels])
    if (levels < 0).all():
        raise InputError(
            "selector 'random': `stratify: level` needs problems with levels, and none of the "
            f"{len(levels)} has one. Use `stratify: none`, or a data set with levels."
        )
    names, sizes = np.unique(levels, return_counts=True)
    turn = turns(sizes.tolist())
    values = np.empty(len(levels))
    for number, level in enumerate(names):
        of_level = np.flatnonzero(levels == level)
        order = of_level[np.argsort(drawn[of_level], kind="stable")]
        values[order] = 1.0 - np.flatnonzero(turn == number) / len(levels)
    return Scores(values)


def turns(sizes: Sequence[int]) -> tr.Ints:
    """Return the order in which groups of these sizes take turns: (sum(sizes),) group numbers.

    Turn j = 0..n-1 of a group of n among N is open from floor(j N / n) and due before
    ceil((j + 1) N / n). Of the open turns the one due first is taken, which keeps every due date
    (proportionate progress on one processor, Baruah et al. 1996); the first k turns then hold
    x of the group, |x - k n / N| < 1, for every k.
    """
    total = sum(sizes)
    samples = [0] * len(sizes)
    order = np.empty(total, np.int64)
    for place in range(total):
        due = [
            (-(-(samples[group] + 1) * total // n), group)
            for group, n in enumerate(sizes)
            if samples[group] < n and samples[group] * total // n <= place
        ]
        order[place] = min(due)[1]
        samples[order[place]] += 1
    return order
