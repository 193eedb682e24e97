"""Diverse: problems that lie as far from each other as can be, by their curves or by embeddings.

A choice, not a measure: greedy farthest-first traversal (Gonzalez 1985). The first problem is the
one nearest to the mean of all; each next one is the one whose nearest chosen problem is farthest,

    argmax_i min_{j chosen} |x_i - x_j|²,

x the learning curve, or the vector of an embedding as it is (scale vectors to length 1 if their
directions are meant). The t-th chosen of `size`, t = 0, 1, ..., scores 1 - t / `size`, so that a
smaller cut is the beginning of the same choice; all others score 0. In [0, 1]. Of equally far ones
the first id is taken, and no random number is drawn. It likes outliers: what nothing is near to
comes first. It takes `size` x problems x dimensions steps, at most 1e11, which take a minute or
two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from limr.core.arrow import strings, vector
from limr.core.errors import InputError
from limr.core.validation import Keys, key
from limr.problems import own_embeddings, own_numbers
from limr.scores.scoring import ProblemSet, Scores
from limr.trajectories import curves as tr

TITLE = "Diverse (farthest first)"
NEEDS_TRAJECTORIES = True
SEEDED = False
OWN_FILES = ("embeddings", "ids")  # options that name a file of the user's own
NO_EMBEDDING = "no embedding in the file"
MOST_STEPS = 10**11
_ALIKE = 1e-12  # relative; distances that differ by less differ by rounding
_AT_ONCE = 16384  # so many problems at once stay in the processor's cache
Points = npt.NDArray[np.floating[Any]]


class Options(Keys):
    """Keys of an entry of `scores`."""

    size: int | None = key(
        None, "How many problems to choose; null: a sixth of those that can be chosen.", ge=1
    )
    missing: tr.Missing = "backfill-one"
    epochs: tr.Epochs = None
    embeddings: str | None = key(
        None,
        "File of vectors to choose by instead of the curves: parquet with `problem_id` (or `id`) "
        "and `embedding`, or .npy with `ids`.",
    )
    ids: str | None = key(
        None, "The ids of the rows of a .npy of `embeddings`: a JSON list, or one a line."
    )


def score(
    problems: ProblemSet,
    samples: tr.Samples,
    options: Mapping[str, Any],
    rng: np.random.Generator,
) -> Scores:
    """Return the place of every chosen problem, and 0 for the others.

    Raises:
        InputError: a file is not what it must be, or the choice takes more than `MOST_STEPS`.
    """
    points, usable, reasons, notes = _points(problems, samples, options)
    curves = options["embeddings"] is None
    values = np.full(len(problems), np.nan)
    ids = strings(problems.problem_ids).filter(pa.array(usable))
    if len(ids):
        size = options["size"] or max(1, round(len(ids) / 6))
        order = vector(pc.sort_indices(ids)).astype(np.int64)
        chosen = order[farthest_first(points[order], min(size, len(ids)), curves)]
        places = np.zeros(len(ids))
        places[chosen] = 1.0 - np.arange(len(chosen)) / size
        values[usable] = places
    return Scores(values, reasons, notes)


def _points(
    problems: ProblemSet, samples: tr.Samples, options: Mapping[str, Any]
) -> tuple[Points, tr.Flags, Mapping[str, tr.Flags], list[str]]:
    """Return the (n_usable, dimensions) points, (n_problems,) whose they are, reasons and notes."""
    if options["embeddings"] is None:
        curves = tr.curves(samples, options["epochs"], options["missing"])
        return curves.whole, curves.usable, curves.reasons, []
    ids, vectors = own_embeddings.read(options["embeddings"], options["ids"])
    notes = own_numbers.unmatched(ids, problems.problem_ids, options["embeddings"])
    rows = {name: row for row, name in enumerate(ids)}
    found = np.array([rows.get(name, -1) for name in problems.problem_ids], np.int64)
    usable: tr.Flags = found >= 0
    return vectors[found[usable]], usable, {NO_EMBEDDING: ~usable}, notes


def farthest_first(points: Points, size: int, curves: bool = False) -> tr.Ints:
    """Return (size,) rows of (n, dimensions) points in the order of their choice; see the module.

    Of equally far ones, rounding errors aside, the first row is taken.

    Args:
        points: to choose from.
        size: how many, at most n.
        curves: whether they are learning curves, which lie in [0, 1]: they take half the time.

    Raises:
        InputError: it takes more than `MOST_STEPS`.
    """
    if size * points.size > MOST_STEPS:
        raise InputError(
            f"selector 'diverse': {size:,} of {points.shape[0]:,} problems in {points.shape[1]:,} "
            f"dimensions take {size * points.size:.1e} steps, at most {MOST_STEPS:.0e} are made. "
            f"Choose a size of at most {max(1, MOST_STEPS // points.size):,}, or fewer dimensions."
        )
    to = _by_product(points) if curves else _by_axis(points)
    nearest = np.full(len(points), np.inf, points.dtype)
    distance = to(points.mean(axis=0))
    # Products have rounding errors of the size of the largest distance, sums of squares of its own.
    alike = _ALIKE * distance.max() if curves else 0.0
    chosen = np.empty(size, np.int64)
    chosen[0] = np.argmax(distance <= distance.min() + _ALIKE * distance.max())
    for place in range(1, size + 1):
        row = chosen[place - 1]
        nearest[row] = -np.inf  # never again
        if place < size:
            np.minimum(nearest, to(points[row]), out=nearest)
            farthest = nearest.max()
            chosen[place] = np.argmax(nearest >= farthest - max(alike, farthest * _ALIKE))
    return chosen


def _by_product(points: Points) -> Callable[[Points], Points]:
    """Return what gives the squared distance of each point to a centre, |x|² - 2 x c + |c|²."""
    middle = points.mean(axis=0)
    off = points - middle
    square = np.einsum("ij,ij->i", off, off)
    off *= -2.0

    def to(centre: Points) -> Points:
        away = centre - middle
        distance: Points = off @ away
        distance += square
        distance += away @ away
        return distance

    return to


def _by_axis(points: Points) -> Callable[[Points], Points]:
    """Return what gives the squared distance of each point to a centre; the same for equal ones.

    What it gives is written over by the next call.
    """
    by_axis = np.ascontiguousarray(points.T)
    distance = np.empty(len(points), points.dtype)

    def to(centre: Points) -> Points:
        _distances(by_axis, centre, distance)
        return distance

    return to


def _distances(by_axis: Points, centre: Points, distance: Points) -> None:
    """Write the squared distance of each point to a centre; the same for equal points."""
    for first in range(0, len(distance), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        total = distance[part]
        total[:] = 0.0
        for values, middle in zip(by_axis[:, part], centre, strict=True):
            off = values - middle
            off *= off
            total += off
