"""The walk of rates on a grid, and the sums over it: what a hidden Markov model needs.

See `limr.scores.posterior`, whose parts these are. States are (…, size of the grid).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from limr.trajectories import curves as tr

# States of the walk: (…, size of the grid) in the precision of `precision`.
States = npt.NDArray[Any]

_BLOCK = 2048  # curves at a time: 8 MB of state probabilities at 30 epochs
# Chance of a jump to anywhere, so that no curve is impossible.
_ANYWHERE = 1e-9
_MOST_TABULATED = 64
# Single precision is twice as fast; with fewer visits scores are the same on any machine to 1e-9.
EXACT_UP_TO = 4_000_000


@dataclass(frozen=True)
class Walk:
    """The random walk of a log's curves.

    Attributes:
        start: (size of the grid,) distribution of the first epoch's rate over the grid.
        step: standard deviation of θ from one epoch to the next, in radians.
    """

    start: tr.Floats
    step: float

    @cached_property
    def angles(self) -> tr.Floats:
        """(size of the grid,) θ, in the middle of equal parts of [0, π/2]."""
        return _angles(len(self.start))

    @cached_property
    def rates(self) -> tr.Floats:
        """(size of the grid,) sin² θ."""
        return np.sin(self.angles) ** 2

    @cached_property
    def kernel(self) -> tr.Floats:
        """(from, to) chances of moving from one rate of the grid to another."""
        return _kernel(self.angles, self.step)


def _angles(size: int) -> tr.Floats:
    return (np.arange(size) + 0.5) * np.pi / (2 * size)


def _kernel(angles: tr.Floats, step: float) -> tr.Floats:
    gap = (angles - angles[:, np.newaxis]) / step
    weight = np.exp(-0.5 * gap**2)
    weight /= weight.sum(axis=1, keepdims=True)
    mixed: tr.Floats = (1 - _ANYWHERE) * weight + _ANYWHERE / len(angles)
    return mixed


def precision(samples: tr.Samples) -> Any:
    return np.float64 if samples.n.size <= EXACT_UP_TO else np.float32


class Evidence:
    """How likely each count is at each rate of the grid, relative to the likeliest rate."""

    def __init__(self, samples: tr.Samples, rates: tr.Floats, kind: Any) -> None:
        base = int(samples.n.max(initial=0)) + 1
        pair = samples.n.T * base + samples.n_correct.T
        if base <= _MOST_TABULATED + 1:
            pairs, self._code = np.arange(base * base), pair
        else:
            pairs, code = np.unique(pair, return_inverse=True)
            self._code = code.reshape(pair.shape)
        n, correct = np.divmod(pairs[:, np.newaxis], base)
        log = np.log(rates) * correct + np.log1p(-rates) * np.maximum(n - correct, 0)
        self._table = np.exp(log - log.max(axis=1, keepdims=True)).astype(kind)

    def at(self, epoch: int) -> States:
        """Return (n_problems, size of the grid)."""
        # Every code is in the table; a check of it copies once more.
        found: States = self._table.take(self._code[epoch], axis=0, mode="clip")
        return found


def blocks(samples: tr.Samples) -> Iterator[tuple[slice, tr.Samples]]:
    for first in range(0, len(samples.n), _BLOCK):
        which = slice(first, first + _BLOCK)
        yield which, tr.Samples(samples.n[which], samples.n_correct[which])


def normalise(states: States) -> States:
    """Make every row sum to 1, in place; return the sums, (n, 1)."""
    # A product with ones is several times faster than a sum along short rows.
    total = states @ np.ones((states.shape[1], 1), states.dtype)
    states /= total
    return total


def until(block: tr.Samples, walk: Walk, kind: Any) -> States:
    """Return (n_epochs, problems, size of the grid): rates given the samples until then."""
    evidence, kernel = Evidence(block, walk.rates, kind), walk.kernel.astype(kind)
    states = np.empty((block.n_epochs, len(block.n), len(walk.start)), kind)
    for k in range(block.n_epochs):
        before = states[k - 1] @ kernel if k else walk.start.astype(kind)
        np.multiply(before, evidence.at(k), out=states[k])
        normalise(states[k])
    return states


def later_on(evidence: Evidence, block: tr.Samples, walk: Walk, kind: Any) -> States:
    """Return (n_epochs, problems, size of the grid): how likely all later samples are at each rate.

    Each row up to a factor.
    """
    backward = np.ascontiguousarray(walk.kernel.T.astype(kind))
    states = np.empty((block.n_epochs, len(block.n), len(walk.start)), kind)
    states[-1] = 1.0
    for k in range(block.n_epochs - 1, 0, -1):
        np.matmul(states[k] * evidence.at(k), backward, out=states[k - 1])
        # An epoch takes a factor of `_ANYWHERE` / size at worst: two are far from underflow.
        if k % 2:
            normalise(states[k - 1])
    return states
