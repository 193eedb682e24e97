"""What a scoring of so many samples in so many epochs would give, on true curves that are drawn.

In each draw of true curves p, a scoring with m samples in each of the first K' epochs is drawn from
p. Its best problems are compared with the best of p itself, which unlimited samples of all epochs
would choose, and with those of a second such scoring. Overlaps are shares of the chosen problems,
ties counted in part (`limr.scores.agreement`). The scores of p are the published formulas; those of
a scoring are the selector's, `noise` included.

p comes from the posterior of a log, or, before there is one, from the walk that the curves of a
published log take (`USUAL`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from limr.core import plugins, validation
from limr.core.random_streams import stream
from limr.scores import diagnostics, grid_walk, posterior
from limr.scores.agreement import Rescore, membership
from limr.scores.scoring import ProblemSet
from limr.trajectories import curves as tr

SHARE = 1 / 6  # of the problems, about what the paper keeps
DRAWS = 20
SAMPLES = (1, 2, 4, 8, 16, 32)
MOST_PROBLEMS = 2000  # the overlap hardly depends on their number
# The curves of One-Shot RLVR's log, 21 epochs (Qwen2.5-Math-1.5B, 1,209 problems, mean accuracy .33
# in the first): Beta of the first rate, step of the walk. Fitted by `limr.scores.posterior`.
USUAL = (0.32, 0.57, 0.029)
_UNLIMITED = 10**6


@dataclass(frozen=True)
class Prospect:
    """What a scoring of so many samples in each of the first so many epochs would give.

    Attributes:
        samples: per problem and epoch.
        epochs: the first so many of the log's.
        truth: expected share of its choice that unlimited samples of all epochs would choose.
        again: expected share of its choice that a second such scoring would choose.
    """

    samples: int
    epochs: int
    truth: float
    again: float

    @property
    def cost(self) -> int:
        """Rollouts per problem."""
        return self.samples * self.epochs


@dataclass(frozen=True)
class Scorer:
    """A selector on samples like a log's: its own score, and the published one for true rates."""

    samples: tr.Samples
    rescore: Rescore
    published: Rescore

    def truth(self, rates: tr.Floats) -> tr.Floats:
        """Return the scores of true rates, with the log's gaps."""
        n = np.where(self.samples.n > 0, _UNLIMITED, 0)
        return self.published(tr.Samples(n, np.rint(rates * n).astype(np.int64)))

    def scoring(
        self, rates: tr.Floats, size: int | None, epochs: int, rng: np.random.Generator
    ) -> tr.Floats:
        """Return the scores of `size` samples (None: the log's) from true rates, gaps as there."""
        n = self.samples.n[:, :epochs]
        n = n if size is None else np.where(n > 0, size, 0)
        return self.rescore(tr.Samples(n, rng.binomial(n, rates[:, :epochs])))


def of_log(
    samples: tr.Samples,
    selector: str,
    options: Mapping[str, Any],
    pairs: Sequence[tuple[int, int]] | None = None,
    *,
    share: float = SHARE,
    seed: int = 1,
    draws: int = DRAWS,
) -> list[Prospect]:
    """Return what other scorings of a log's problems would give, one for each pair.

    Args:
        samples: the log's.
        selector: one that needs trajectories.
        options: the selector's.
        pairs: (samples per problem and epoch, first epochs); None: every one of `SAMPLES` with
            some numbers of epochs.
        share: of the problems with a score that are chosen, in (0, 1].
        seed: of the draws.
        draws: of true curves.

    Raises:
        InputError: see `limr.scores.scoring.score`.
    """
    of = scorer(take(samples, evenly(samples)), selector, options, seed)
    used = of.samples
    walk = posterior.fit(used)
    rng = stream(seed, "enough", selector, "prospects")
    drawn = posterior.draws(used, walk, draws, rng)
    if pairs is None:
        pairs = [(m, k) for k in some_epochs(used.n_epochs) for m in SAMPLES]
    return averaged(of, drawn, pairs, share, rng)


def usual(
    n_problems: int,
    selector: str,
    options: Mapping[str, Any],
    pairs: Sequence[tuple[int, int]],
    *,
    share: float = SHARE,
    draws: int = DRAWS,
) -> list[Prospect]:
    """Return what scorings would give if the curves were like a published log's (`USUAL`).

    Args:
        n_problems: how many there are; of more than `MOST_PROBLEMS` so many are drawn.
        selector: one that needs trajectories.
        options: the selector's.
        pairs: (samples per problem and epoch, epochs); the truth is that of the most epochs.
        share: of the problems that are chosen, in (0, 1].
        draws: of true curves.
    """
    from scipy.special import betainc  # no command's start waits for SciPy

    first, second, step = USUAL
    ends = np.sin(np.linspace(0, np.pi / 2, 33)) ** 2
    walk = grid_walk.Walk(np.diff(betainc(first, second, ends)), step)
    shape = (min(n_problems, MOST_PROBLEMS), max(epochs for _, epochs in pairs))
    nothing = tr.Samples(np.zeros(shape, np.int64), np.zeros(shape, np.int64))
    everywhere = tr.Samples(np.ones(shape, np.int64), nothing.n_correct)
    rng = stream(1, "enough", selector, "usual")
    drawn = posterior.draws(nothing, walk, draws, rng)
    return averaged(scorer(everywhere, selector, options, 1), drawn, pairs, share, rng)


def averaged(
    of: Scorer,
    drawn: Iterable[tr.Floats],
    pairs: Sequence[tuple[int, int]],
    share: float,
    rng: np.random.Generator,
) -> list[Prospect]:
    """Return the prospects of (samples, epochs), averaged over draws of true curves."""
    found: dict[tuple[int, int], list[tuple[float, float]]] = {pair: [] for pair in pairs}
    for rates in drawn:
        true_scores = of.truth(rates)
        for pair in pairs:
            first, second = (of.scoring(rates, *pair, rng) for _ in range(2))
            scored = ~np.isnan(true_scores + first + second)
            if not scored.any():
                continue
            size = max(1, round(share * scored.sum()))
            chosen, others, right = (
                best(values[scored], size) for values in (first, second, true_scores)
            )
            found[pair].append((float(chosen @ right) / size, float(chosen @ others) / size))
    means = {pair: np.mean(all_, axis=0) if all_ else (np.nan, np.nan)
             for pair, all_ in found.items()}  # fmt: skip
    return [Prospect(*pair, float(truth), float(again)) for pair, (truth, again) in means.items()]


def cheapest(found: Sequence[Prospect], wanted: float) -> Prospect | None:
    """Return the prospect of fewest rollouts whose choice agrees with the truth as wanted.

    Of equally cheap ones that with the greatest overlap; None where none reaches it.
    """
    enough = [one for one in found if one.truth >= wanted]
    return min(enough, key=lambda one: (one.cost, -one.truth), default=None)


def some_epochs(recorded: int) -> list[int]:
    """Return a quarter, a half, three quarters and all of the recorded epochs."""
    return sorted({max(1, round(recorded * part / 4)) for part in (1, 2, 3, 4)})


def best(values: tr.Floats, size: int) -> tr.Floats:
    """Return (n,) how far each value belongs to the `size` largest; NaN never does."""
    share = membership(np.nan_to_num(values, nan=-np.inf), size)
    return np.where(np.isnan(values), 0.0, share)


def scorer(samples: tr.Samples, selector: str, options: Mapping[str, Any], seed: int) -> Scorer:
    ids = [str(i) for i in range(len(samples.n))]
    problems = ProblemSet(ids, [None] * len(ids))
    known = validation.options(plugins.load("selectors", selector)).model_fields
    plain = {**options, "noise": "ignore"} if "noise" in known else options
    of, published = (
        diagnostics.subject(problems, samples, selector, given, seed=seed, name=selector)
        for given in (options, plain)
    )
    used = of.samples.first(of.samples.whole)
    return Scorer(used, of.rescore, published.rescore)


def evenly(samples: tr.Samples) -> tr.Ints:
    """Return the places of `MOST_PROBLEMS` of the sampled problems, evenly spaced by pass rate."""
    rate = samples.pass_rate
    order = np.argsort(rate, kind="stable")[: int((~np.isnan(rate)).sum())]
    number = min(len(order), MOST_PROBLEMS)
    return order[((np.arange(number) + 0.5) * len(order) / max(number, 1)).astype(np.int64)]


def take(samples: tr.Samples, rows: tr.Ints) -> tr.Samples:
    return tr.Samples(samples.n[rows], samples.n_correct[rows], samples.whole)
