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

from collections.abc import Mapping
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
_WINDOW = 128  # so many of the farthest curves are looked at apart
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
    samples_each = int(samples.n.max(initial=1)) if options["embeddings"] is None else None
    values = np.full(len(problems), np.nan)
    ids = strings(problems.problem_ids).filter(pa.array(usable))
    if len(ids):
        size = options["size"] or max(1, round(len(ids) / 6))
        order = vector(pc.sort_indices(ids)).astype(np.int64)
        chosen = order[farthest_first(points[order], min(size, len(ids)), samples_each)]
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


def farthest_first(points: Points, size: int, samples: int | None = None) -> tr.Ints:
    """Return (size,) rows of (n, dimensions) points in the order of their choice; see the module.

    Of equally far ones, rounding errors aside, the first row is taken.

    Args:
        points: to choose from.
        size: how many, at most n.
        samples: of learning curves, which lie in [0, 1], the most samples of a visit: they take a
            sixth of the time.

    Raises:
        InputError: it takes more than `MOST_STEPS`.
    """
    if size * points.size > MOST_STEPS:
        raise InputError(
            f"selector 'diverse': {size:,} of {points.shape[0]:,} problems in {points.shape[1]:,} "
            f"dimensions take {size * points.size:.1e} steps, at most {MOST_STEPS:.0e} are made. "
            f"Choose a size of at most {max(1, MOST_STEPS // points.size):,}, or fewer dimensions."
        )
    return _by_axis(points, size) if samples is None else _by_products(points, size, samples)


def _by_products(points: Points, size: int, samples: int) -> tr.Ints:
    """Return the choice from learning curves, with products of matrices.

    |x - c|² = |x|² - 2 x c + |c|². The choice goes on among the farthest points alone, `_WINDOW` of
    them, as long as one of these is farther than all others were; then the others are compared with
    all that were chosen meanwhile, at once.
    """
    off = points - points.mean(axis=0)
    square = np.einsum("ij,ij->i", off, off)
    # Products have rounding errors of the size of the largest distance.
    alike = _ALIKE * square.max()
    chosen = [int(np.argmax(square <= square.min() + alike))]
    whole = _whole(points, samples)
    if whole is not None:  # no rounding errors at all, at half the price
        off, alike = whole, 0.0
        square = np.einsum("ij,ij->i", off, off)
    ones = np.ones_like(square)
    left = np.column_stack([-2.0 * off, square, ones])
    right = np.ascontiguousarray(np.column_stack([off, ones, square]).T)
    nearest = left[chosen[0]] @ right
    nearest[chosen] = -np.inf  # never again
    while len(chosen) < size:
        limit = -np.inf
        if len(points) > _WINDOW:
            limit = np.partition(nearest, -_WINDOW)[-_WINDOW]
        rows = np.flatnonzero(nearest > limit)
        found = _among(nearest[rows], left[rows] @ right[:, rows], limit, alike)
        # Of more equally far ones than the window holds, the first.
        new = rows[found].tolist() if found else [int((nearest >= nearest.max() - alike).argmax())]
        chosen.extend(new)
        for first in range(0, len(points), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            distance = (left[new] @ right[:, part]).min(axis=0)
            np.minimum(nearest[part], distance, out=nearest[part])
        nearest[new] = -np.inf
    return np.array(chosen[:size], np.int64)


def _whole(points: Points, samples: int) -> Points | None:
    """Return shares of so many samples as counts, if all are and single precision is exact."""
    if 4 * points.shape[1] * samples**2 >= 2**24:
        return None
    counts = points * samples
    whole = np.rint(counts)
    return whole.astype(np.float32) if np.abs(counts - whole).max() < 1e-6 else None


def _among(nearest: Points, distance: Points, limit: float, alike: float) -> list[int]:
    """Return the choice among some points, as long as the next is farther than `limit`.

    Args:
        nearest: (n,) squared distance of each point to what was chosen; changed in place.
        distance: (n, n) of each point to each.
        limit: no other point is farther.
        alike: distances that differ by less are equal.
    """
    chosen: list[int] = []
    while len(chosen) < len(nearest):
        place = int(nearest.argmax())
        least = nearest[place] - alike
        if least <= limit:
            break
        if alike:
            place = int((nearest >= least).argmax())
        chosen.append(place)
        nearest[place] = -np.inf
        np.minimum(nearest, distance[place], out=nearest)
    return chosen


def _by_axis(points: Points, size: int) -> tr.Ints:
    """Return the choice from vectors of any size, with distances that are 0 for equal ones."""
    by_axis = np.ascontiguousarray(points.T)
    nearest = np.full(len(points), np.inf, points.dtype)
    distance = np.empty_like(nearest)
    _distances(by_axis, points.mean(axis=0), distance)
    chosen = np.empty(size, np.int64)
    chosen[0] = np.argmax(distance <= distance.min() + _ALIKE * distance.max())
    for place in range(1, size):
        row = chosen[place - 1]
        _distances(by_axis, points[row], distance)
        np.minimum(nearest, distance, out=nearest)
        nearest[row] = -np.inf  # never again
        farthest = nearest.max()
        chosen[place] = np.argmax(nearest >= farthest - farthest * _ALIKE)
    return chosen


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
