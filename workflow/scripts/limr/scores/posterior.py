"""What the samples say of the rates behind them: the posterior of every learning curve.

A problem's rate of right answers p_k in epoch k is sin² θ_k, and θ takes a random walk:

    c_k ~ Binomial(n_k, sin² θ_k),   θ_1 ~ start,   θ_{k+1} ~ Normal(θ_k, step²) within [0, π/2].

θ is the arcsine scale, on which the noise of n samples is about the same at every rate (standard
deviation 1 / (2 √n)). This is a local-level state-space model (Harvey 1989) with binomial counts.
On a grid of θ it is a hidden Markov model, so that the posterior of every curve is exact up to the
grid: forward and backward sums (Rabiner 1989), no sampling. Epochs without samples are bridged.

`start`, a free distribution on the grid, and `step` are the log's own. The step maximises the
marginal likelihood (`scipy.optimize.minimize_scalar`); the start rises towards its maximum by some
rounds of EM (Baum et al. 1970), which keep it smooth. So a log whose curves hardly move gets nearly
pooled rates, and one whose curves jump gets rates near the observed ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from limr.trajectories import curves as tr

# States of the walk: (…, size of the grid) in the precision of `_kind`.
States = npt.NDArray[Any]

# The grid is at least as fine as the noise of one visit, within these limits.
_FEWEST, _MOST = 32, 160
_BLOCK = 2048  # curves at a time: 8 MB of state probabilities at 30 epochs
# The fit takes so many visits, of curves spread evenly over the pass rates, within these limits.
_FITTED_VISITS, _FITTED_CURVES = 25_000, (200, 2000)
FIRST_STEP = 0.05
_STEPS = (0.003, 1.5)  # the least and the greatest step that is tried
_ROUNDS = 5  # of EM for the start
# Chance of a jump to anywhere, so that no curve is impossible.
_ANYWHERE = 1e-9
_MOST_TABULATED = 64
# Single precision is twice as fast; with fewer visits scores are the same on any machine to 1e-9.
_DOUBLE_UP_TO = 4_000_000


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


def fit(samples: tr.Samples) -> Walk:
    """Return the walk under which the samples are likeliest.

    Args:
        samples: problems that were never sampled say nothing. Without any sample the start is
            uniform in θ; with one epoch the step, which then does nothing, is `FIRST_STEP`.
    """
    size = int(np.clip(np.ceil(np.pi * np.sqrt(samples.n.max(initial=1))), _FEWEST, _MOST))
    used = _representative(samples)
    walk = _likeliest_start(used, Walk(np.full(size, 1 / size), FIRST_STEP))
    if used.n_epochs > 1 and len(used.n):
        for _ in range(2):
            walk = _likeliest_start(used, _likeliest_step(used, walk))
    return walk


def _likeliest_start(samples: tr.Samples, walk: Walk) -> Walk:
    """Return the walk with its start after some rounds of EM, from the given one."""
    for _ in range(_ROUNDS):
        begun = np.full(len(walk.start), 1 / len(walk.start))  # and one curve from anywhere
        for _, states in _smoothed(samples, walk):
            begun += states[0].sum(axis=0)
        walk = Walk(begun / begun.sum(), walk.step)
    return walk


def _likeliest_step(samples: tr.Samples, walk: Walk) -> Walk:
    """Return the walk with the step that maximises the marginal likelihood."""
    from scipy.optimize import minimize_scalar  # no command's start waits for SciPy

    def loss(log_step: float) -> float:
        return -log_likelihood(samples, Walk(walk.start, float(np.exp(log_step))))

    bounds = np.log(_STEPS)
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 0.02})
    return Walk(walk.start, float(np.exp(found.x)))


def _representative(samples: tr.Samples) -> tr.Samples:
    """Return so many curves as the fit needs, evenly spaced by pass rate."""
    rate = samples.pass_rate
    order = np.argsort(rate, kind="stable")[: int((~np.isnan(rate)).sum())]
    number = int(np.clip(_FITTED_VISITS // samples.n_epochs, *_FITTED_CURVES))
    if len(order) > number:
        order = order[((np.arange(number) + 0.5) * len(order) / number).astype(np.int64)]
    return tr.Samples(samples.n[order], samples.n_correct[order])


def _kind(samples: tr.Samples) -> Any:
    return np.float64 if samples.n.size <= _DOUBLE_UP_TO else np.float32


class _Evidence:
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
        found: States = self._table.take(self._code[epoch], axis=0)
        return found


def _blocks(samples: tr.Samples) -> Iterator[tuple[slice, tr.Samples]]:
    for first in range(0, len(samples.n), _BLOCK):
        which = slice(first, first + _BLOCK)
        yield which, tr.Samples(samples.n[which], samples.n_correct[which])


def _normalise(states: States) -> States:
    """Make every row sum to 1, in place; return the sums, (n, 1)."""
    # A product with ones is several times faster than a sum along short rows.
    total = states @ np.ones((states.shape[1], 1), states.dtype)
    states /= total
    return total


def log_likelihood(samples: tr.Samples, walk: Walk) -> float:
    """Return the log of the samples' chance, up to a constant that does not depend on the walk."""
    total, kind = 0.0, _kind(samples)
    kernel = walk.kernel.astype(kind)
    for _, block in _blocks(samples):
        evidence = _Evidence(block, walk.rates, kind)
        state = walk.start.astype(kind)[np.newaxis]
        for k in range(block.n_epochs):
            state = (state @ kernel if k else state) * evidence.at(k)
            total += float(np.log(_normalise(state)).sum(dtype=np.float64))
    return total


def _filtered(block: tr.Samples, walk: Walk, kind: Any) -> States:
    """Return (n_epochs, problems, size of the grid): rates given the samples until then."""
    evidence, kernel = _Evidence(block, walk.rates, kind), walk.kernel.astype(kind)
    states = np.empty((block.n_epochs, len(block.n), len(walk.start)), kind)
    for k in range(block.n_epochs):
        before = states[k - 1] @ kernel if k else walk.start.astype(kind)
        np.multiply(before, evidence.at(k), out=states[k])
        _normalise(states[k])
    return states


def _smoothed(samples: tr.Samples, walk: Walk) -> Iterator[tuple[slice, States]]:
    """Yield blocks of problems and their posterior, (n_epochs, problems, size of the grid)."""
    kind = _kind(samples)
    backward = np.ascontiguousarray(walk.kernel.T.astype(kind))
    for which, block in _blocks(samples):
        evidence, states = _Evidence(block, walk.rates, kind), _filtered(block, walk, kind)
        later = np.ones_like(states[0])
        for k in range(block.n_epochs - 2, -1, -1):
            later *= evidence.at(k + 1)
            later = later @ backward
            _normalise(later)
            states[k] *= later
            _normalise(states[k])
        yield which, states


def moments(samples: tr.Samples, walk: Walk) -> tuple[tr.Floats, tr.Floats]:
    """Return (n_problems, n_epochs) mean and variance of every rate, given the samples."""
    mean, variance = np.empty(samples.n.shape), np.empty(samples.n.shape)
    rates = walk.rates.astype(_kind(samples))
    for which, states in _smoothed(samples, walk):
        flat = states.reshape(-1, len(rates))
        first, second = ((flat @ power).reshape(states.shape[:2]) for power in (rates, rates**2))
        second -= first**2
        mean[which] = first.T
        variance[which] = np.maximum(second, 0.0).T
    return mean, variance


def variance_of_sum(
    samples: tr.Samples, walk: Walk, mean: tr.Floats, weights: tr.Floats
) -> tr.Floats:
    """Return (n_problems,) the variance of Σ_k w_k p_k, given the samples.

    Neighbouring epochs share evidence, so it is more than the sum of the variances. The first two
    moments of the sum so far are carried forward beside the chance of each state.

    Args:
        samples: see `moments`.
        walk: see `moments`.
        mean: (n_problems, n_epochs) from `moments`.
        weights: (n_problems, n_epochs) w.
    """
    found, kind = np.empty(len(samples.n)), _kind(samples)
    rates, kernel = walk.rates.astype(kind), walk.kernel.astype(kind)
    for which, block in _blocks(samples):
        evidence = _Evidence(block, walk.rates, kind)
        chance = np.repeat(walk.start.astype(kind)[np.newaxis], len(block.n), axis=0)
        total, square = np.zeros_like(chance), np.zeros_like(chance)
        of, by = (x[which].astype(kind)[..., np.newaxis] for x in (mean, weights))
        for k in range(block.n_epochs):
            if k:
                chance, total, square = (x @ kernel for x in (chance, total, square))
            gap = (rates - of[:, k]) * by[:, k]  # relative to the mean, so that nothing cancels
            square += gap * (2 * total + gap * chance)
            total += gap * chance
            chance, total, square = (x * evidence.at(k) for x in (chance, total, square))
            scale = _normalise(chance)
            total /= scale
            square /= scale
        found[which] = square.sum(axis=1) - total.sum(axis=1) ** 2
    return np.maximum(found, 0.0)


def draws(
    samples: tr.Samples, walk: Walk, number: int, rng: np.random.Generator
) -> Iterator[tr.Floats]:
    """Yield `number` draws of all rates, (n_problems, n_epochs) each, given the samples.

    Forward sums, then a path drawn backwards (Frühwirth-Schnatter 1994). Each path is shifted as a
    whole by less than half a step of the grid, so that no two curves are equal by the grid alone.
    """
    whole = np.empty((number, *samples.n.shape), np.float32)
    columns = np.ascontiguousarray(walk.kernel.T.astype(np.float32))
    width = walk.angles[1] - walk.angles[0]
    for which, block in _blocks(samples):
        filtered = _filtered(block, walk, np.float32)
        for drawn in whole:
            state = _one_of(filtered[-1], rng)
            shift = rng.uniform(-0.5, 0.5, len(block.n)) * width
            drawn[which, -1] = np.sin(walk.angles[state] + shift) ** 2
            for k in range(block.n_epochs - 2, -1, -1):
                state = _one_of(filtered[k] * columns[state], rng)
                drawn[which, k] = np.sin(walk.angles[state] + shift) ** 2
    for drawn in whole:
        yield drawn.astype(np.float64)


def _one_of(weights: States, rng: np.random.Generator) -> tr.Ints:
    """Return (n,) one column for each row of (n, size) weights, with chances in proportion."""
    below = weights.cumsum(axis=1)
    limit = rng.random((len(weights), 1), dtype=np.float32) * below[:, -1:]
    found: tr.Ints = np.minimum((below <= limit).sum(axis=1), weights.shape[1] - 1)
    return found
