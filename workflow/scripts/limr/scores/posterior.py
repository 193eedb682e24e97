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
from typing import Any, NamedTuple

import numpy as np

from limr.scores import grid_walk
from limr.scores.grid_walk import States, Walk
from limr.trajectories import curves as tr

# The grid is at least as fine as the noise of one visit, within these limits. In large logs it may
# be coarser: scores of real curves, LIM and the variance, are then off by .001.
_FEWEST, _FEWEST_OF_LARGE, _MOST = 32, 24, 160
# The fit takes so many visits, of curves spread evenly over the pass rates, within these limits.
_FITTED_VISITS, _FITTED_CURVES = 25_000, (200, 2000)
FIRST_STEP = 0.05
_STEPS = (0.003, 1.5)  # the least and the greatest step that is tried
_ROUNDS = 5  # of EM for the start


def fit(samples: tr.Samples) -> Walk:
    """Return the walk under which the samples are likeliest.

    Args:
        samples: problems that were never sampled say nothing. Without any sample the start is
            uniform in θ; with one epoch the step, which then does nothing, is `FIRST_STEP`.
    """
    fewest = _FEWEST if samples.n.size <= grid_walk.EXACT_UP_TO else _FEWEST_OF_LARGE
    size = int(np.clip(np.ceil(np.pi * np.sqrt(samples.n.max(initial=1))), fewest, _MOST))
    used = _representative(samples)
    walk = _likeliest_start(used, Walk(np.full(size, 1 / size), FIRST_STEP))
    if used.n_epochs > 1 and len(used.n):
        for _ in range(2):
            walk = _likeliest_start(used, _likeliest_step(used, walk))
    return walk


def _likeliest_start(samples: tr.Samples, walk: Walk) -> Walk:
    """Return the walk with its start after some rounds of EM, from the given one."""
    kind = grid_walk.precision(samples)
    for _ in range(_ROUNDS):
        begun = np.full(len(walk.start), 1 / len(walk.start))  # and one curve from anywhere
        for _, block in grid_walk.blocks(samples):
            begun += _first(block, walk, kind).sum(axis=0)
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


def log_likelihood(samples: tr.Samples, walk: Walk) -> float:
    """Return the log of the samples' chance, up to a constant that does not depend on the walk."""
    total, kind = 0.0, grid_walk.precision(samples)
    kernel = walk.kernel.astype(kind)
    for _, block in grid_walk.blocks(samples):
        evidence = grid_walk.Evidence(block, walk.rates, kind)
        state = walk.start.astype(kind)[np.newaxis]
        for k in range(block.n_epochs):
            state = (state @ kernel if k else state) * evidence.at(k)
            total += float(np.log(grid_walk.normalise(state)).sum(dtype=np.float64))
    return total


def _first(block: tr.Samples, walk: Walk, kind: Any) -> States:
    """Return (problems, size of the grid) the posterior of the first epoch's rate."""
    evidence = grid_walk.Evidence(block, walk.rates, kind)
    state: States = grid_walk.later_on(evidence, block, walk, kind)[0]
    state *= evidence.at(0) * walk.start.astype(kind)
    grid_walk.normalise(state)
    return state


class Moments(NamedTuple):
    """What is known of every rate, given the samples: (n_problems, n_epochs) each."""

    mean: tr.Floats
    variance: tr.Floats


def moments(samples: tr.Samples, walk: Walk) -> Moments:
    """Return mean and variance of every rate, given the samples.

    Args:
        samples: n_problems x n_epochs.
        walk: of their log.
    """
    found, kind = Moments(*np.empty((2, *samples.n.shape))), grid_walk.precision(samples)
    kernel, powers = walk.kernel.astype(kind), np.vander(walk.rates, 3, increasing=True)
    for which, block in grid_walk.blocks(samples):
        evidence = grid_walk.Evidence(block, walk.rates, kind)
        later = grid_walk.later_on(evidence, block, walk, kind)
        chance = np.repeat(walk.start.astype(kind)[np.newaxis], len(block.n), axis=0)
        sums = np.empty((block.n_epochs, len(block.n), 3), kind)  # row by row it would be slower
        for k in range(block.n_epochs):
            chance = (chance @ kernel if k else chance) * evidence.at(k)
            if k % 2 == 0:  # as in `later_on`
                grid_walk.normalise(chance)
            later[k] *= chance
            np.matmul(later[k], powers.astype(kind), out=sums[k])
        mean, square = (sums[..., i] / sums[..., 0] for i in (1, 2))
        found.mean[which] = mean.T
        found.variance[which] = np.maximum(square - mean**2, 0.0).T
    return found


class Sums(NamedTuple):
    """What is known of a sum Σ_k w_k p_k, given the samples: (n_problems,) each."""

    mean: tr.Floats
    variance: tr.Floats


def of_sum(samples: tr.Samples, walk: Walk, weights: tr.Floats) -> Sums:
    """Return mean and variance of each problem's Σ_k w_k p_k, given the samples.

    Args:
        samples: n_problems x n_epochs.
        walk: of their log.
        weights: (n_problems, n_epochs) w.
    """
    off, square, _ = _of_sum(samples, walk, weights)
    mean = off + _centres(samples) * weights.sum(axis=1)
    return Sums(mean, np.maximum(square - off**2, 0.0))


def of_spread(
    samples: tr.Samples, walk: Walk, line: tr.Floats | None = None
) -> tuple[tr.Floats, tr.Floats]:
    """Return what is expected of each curve's spread over the epochs, given the samples.

    Args:
        samples: n_problems x n_epochs.
        walk: of their log.
        line: (n_epochs,) ℓ, whose sum is 0; None: 0.

    Returns:
        variance: (n_problems,) the expected 1/K Σ_k (p_k - m)², m = 1/K Σ_k p_k.
        rise: (n_problems,) the expected Σ_k ℓ_k p_k.
    """
    n_epochs = samples.n_epochs
    weights = np.broadcast_to(1 / n_epochs, samples.n.shape)
    # 1/K Σ g² - (1/K Σ g)², g = p - c for any c: it is (Σ w g)² - K Σ (w g)², its sign turned.
    line = None if line is None else line * n_epochs
    _, square, rise = _of_sum(samples, walk, weights, n_epochs, line)
    return np.maximum(-square, 0.0), rise


def _centres(samples: tr.Samples) -> tr.Floats:
    return np.nan_to_num(samples.pass_rate, nan=0.5)


def _of_sum(
    samples: tr.Samples,
    walk: Walk,
    weights: tr.Floats,
    own: float = 0.0,
    line: tr.Floats | None = None,
) -> tr.Floats:
    """Return (3, n_problems) the expected Σ_k g_k, (Σ_k g_k)² - own · Σ_k g_k², and Σ_k ℓ_k g_k.

    g_k = w_k (p_k - c); c is the pass rate, so that little cancels. Without a line ℓ is 0.

    Neighbouring epochs share evidence, so the variance of a sum is more than the sum of the
    variances. The expectations so far are carried forward beside the chance of each state; what
    comes later only weighs the states.
    """
    found, kind = np.zeros((3, len(samples.n))), grid_walk.precision(samples)
    kernel, centres = walk.kernel.astype(kind), _centres(samples)
    even = bool((weights == weights[:, :1]).all())
    for which, block in grid_walk.blocks(samples):
        evidence = grid_walk.Evidence(block, walk.rates, kind)
        off = (walk.rates - centres[which, np.newaxis]).astype(kind)
        weight = weights[which].astype(kind)
        if even:
            off *= weight[:, :1]
        # The chance of each state, and the sums times it; and room for the next epoch's.
        states = np.zeros((3 if line is None else 4, *off.shape), kind)
        states[0] = walk.start
        after, gained = np.empty_like(states), np.empty_like(off)
        for k in range(block.n_epochs):
            if k:
                states, after = np.matmul(states, kernel, out=after), states
            states *= evidence.at(k)
            chance, total, square = states[:3]
            here = off if even else off * weight[:, k, np.newaxis]
            np.multiply(here, chance, out=gained)
            square += here * ((1 - own) * gained + 2 * total)
            total += gained
            if line is not None:
                states[3] += line[k].astype(kind) * gained
            if k % 2 == 0:  # as in `later_on`
                states[1:] /= grid_walk.normalise(chance)
        ends = states.sum(axis=2)
        found[: len(ends) - 1, which] = ends[1:] / ends[0]
    return found


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
    for which, block in grid_walk.blocks(samples):
        filtered = grid_walk.until(block, walk, np.float32)
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
