"""What groups of samples say of a problem: its recent pass rate, and whether it will be mixed next.

Matrices are (n_problems, n_visits); `n` samples of a visit, 0 where there was none, and `n_correct`
of these correct. Selectors look at them after training, samplers while it goes on.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64] | npt.NDArray[np.int32]
States = npt.NDArray[np.int8]

# What the group of samples of one visit was; a group of one sample says nothing of its spread.
NO_GROUP, ALL_WRONG, MIXED, ALL_RIGHT = -1, 0, 1, 2
_STATES = 3
_ROWS = 8192  # so many problems at once stay in the processor's cache


def states(n: Ints, n_correct: Ints) -> States:
    """Return (n_problems, n_visits) what the group of each visit was."""
    found = np.full(n.shape, MIXED, np.int8)
    found[n_correct == 0] = ALL_WRONG
    found[n_correct == n] = ALL_RIGHT
    found[n < 2] = NO_GROUP
    return found


def posterior(n: Ints, n_correct: Ints, decay: float, prior: float) -> tuple[Floats, Floats]:
    """Return both parameters, (n_problems,), of the Beta posterior of each pass rate.

    At each visit with c of n correct: a <- λ a + (1 - λ) a₀ + c, b <- λ b + (1 - λ) a₀ + n - c,
    from a = b = a₀; λ is `decay`, a₀ is `prior`.
    """
    right = np.full(len(n), prior)
    wrong = right.copy()
    for of_visit, correct in zip(n.T, n_correct.T, strict=True):
        kept = np.where(of_visit > 0, decay, 1.0)
        right = kept * right + (1.0 - kept) * prior + correct
        wrong = kept * wrong + (1.0 - kept) * prior + (of_visit - correct)
    return right, wrong


def mixed_next(found: States, decay: float, prior: float) -> Floats:
    """Return (n_problems,) the probability that the next group is mixed, by a Markov chain each.

    Each problem has Dirichlet counts A, A_ji for a step from state i to state j, all `prior` at
    first, P_ji = A_ji / Σ_j A_ji, and a belief π over the states, uniform at first. In every visit:

    - π' = the observed state for certain; without a group, the belief π itself;
    - A <- γ A + (1 - γ) `prior` + Ξ, Ξ_ji = π'_j P_ji ρ_i / Σ_ji π'_j P_ji ρ_i, ρ the last visit's
      π' (uniform before the first); without a group Ξ = 0; γ is `decay`;
    - π = P π' with the new A: the belief about the next visit.

    `found` is what `states` returns.
    """
    mixed = np.empty(len(found))
    for first in range(0, len(found), _ROWS):
        part = slice(first, first + _ROWS)
        mixed[part] = _mixed_next(found[part], decay, prior)
    return mixed


def _mixed_next(found: States, decay: float, prior: float) -> Floats:
    counts = np.full((_STATES, _STATES, len(found)), prior)  # to, from, problem
    step = counts / counts.sum(axis=0)
    belief = np.full((_STATES, len(found)), 1.0 / _STATES)
    before = belief
    for visit in found.T:
        seen = visit != NO_GROUP
        now = np.where(seen, visit == np.arange(_STATES)[:, np.newaxis], belief)
        taken = np.multiply(now[:, np.newaxis] * before, step, out=step)
        taken *= seen / taken.sum(axis=(0, 1))
        counts *= decay
        counts += (1.0 - decay) * prior
        counts += taken
        step = np.divide(counts, counts.sum(axis=0), out=step)
        belief = (step * now).sum(axis=1)
        before = now
    predicted: Floats = belief[MIXED]
    return predicted
