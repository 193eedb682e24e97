"""How much scoring is enough: how sure a choice of the best problems is, and what more would buy.

True curves p are drawn from the posterior of the log's (`limr.scores.posterior`), so that both the
noise of the samples and what is not known of p are in every number. In each draw

- the best problems of p itself are those that unlimited samples of the same epochs would choose:
  a problem belongs to the best as often as it is among them;
- a scoring with m samples in each of the first K' epochs is drawn from p, and its best are compared
  with those of p (`truth`) and with those of a second such scoring (`again`).

Overlaps are shares of the chosen problems, ties counted in part (`limr.scores.agreement`). The
scores of p are the published formulas; those of a scoring are the selector's, `noise` included.
This asks whether the samples suffice to rank by a score. Whether the score picks what trains best
is another question (docs/noise.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from limr.core import plugins, validation
from limr.core.random_streams import stream
from limr.scores import diagnostics, posterior
from limr.scores.agreement import Rescore, membership
from limr.scores.scoring import ProblemSet
from limr.trajectories import curves as tr

SHARE = 1 / 6  # of the problems, about what the paper keeps
WANTED = 0.8  # of the chosen problems
DRAWS = 20
SAMPLES = (1, 2, 4, 8, 16, 32)
MOST_PROBLEMS = 2000  # of a prospect: the overlap hardly depends on their number
MOST_VISITS = 1_000_000  # of which each problem's own chance is drawn
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
class Certainty:
    """How sure the choice from a log is.

    Attributes:
        n: problems with a score; of a log of more than `MOST_VISITS` visits, only of some that are
            evenly spaced by pass rate.
        size: how many of them are chosen.
        belongs: (n_problems,) chance that a problem is among the best of unlimited samples, in
            [0, 1]; NaN where it has no score, or is not one of the n.
        truth: expected share of the choice that belongs.
        again: expected share that a second scoring with the same samples would choose.
        samples: median number per visit.
        epochs: how many there are.
    """

    n: int
    size: int
    belongs: tr.Floats
    truth: float
    again: float
    samples: int
    epochs: int


@dataclass(frozen=True)
class Outlook:
    """How sure the choice from a log is, and what other scorings of its problems would give."""

    now: Certainty
    prospects: tuple[Prospect, ...]
    wanted: float

    @property
    def enough(self) -> Prospect | None:
        """The cheapest scoring whose choice agrees with the truth as wanted; None: none does."""
        return cheapest(self.prospects, self.wanted)


@dataclass(frozen=True)
class _Scorer:
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


def outlook(
    samples: tr.Samples,
    selector: str,
    options: Mapping[str, Any],
    *,
    wanted: float = WANTED,
    draws: int = DRAWS,
) -> Outlook | None:
    """Return `certainty` and `prospects`; None where no two problems have a score."""
    now = certainty(samples, selector, options, draws=draws)
    if now.n < 2:
        return None
    return Outlook(now, tuple(prospects(samples, selector, options, draws=draws)), wanted)


def certainty(
    samples: tr.Samples,
    selector: str,
    options: Mapping[str, Any],
    *,
    share: float = SHARE,
    seed: int = 1,
    draws: int = DRAWS,
) -> Certainty:
    """Return how sure the choice of a log's best problems is.

    Args:
        samples: the log's.
        selector: one that needs trajectories.
        options: the selector's.
        share: of the problems with a score that are chosen, in (0, 1].
        seed: of the draws.
        draws: of true curves.

    Raises:
        InputError: see `limr.scores.scoring.score`.
    """
    large = samples.n.size > MOST_VISITS
    rows = _evenly(samples) if large else np.arange(len(samples.n))
    scorer = _scorer(_of(samples, rows), selector, options, seed)
    used = scorer.samples
    scores = scorer.rescore(used)
    scored = ~np.isnan(scores)
    n = int(scored.sum())
    every = np.full(len(samples.n), np.nan)
    if not n:
        return Certainty(0, 0, every, np.nan, np.nan, 0, used.n_epochs)
    size = max(1, round(share * n))
    chosen = best(scores, size)
    rng = stream(seed, "enough", selector)
    belongs, again = np.zeros(len(scores)), 0.0
    for rates in posterior.draws(used, posterior.fit(used), draws, rng):
        belongs += best(np.where(scored, scorer.truth(rates), np.nan), size)
        second = scorer.scoring(rates, None, used.n_epochs, rng)
        again += float(chosen @ best(np.where(scored, second, np.nan), size))
    every[rows[scored]] = belongs[scored] / draws
    return Certainty(
        n,
        size,
        every,
        float(chosen @ belongs) / draws / size,
        again / draws / size,
        int(np.median(used.n[used.n > 0])),
        used.n_epochs,
    )


def prospects(
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
        share: see `certainty`.
        seed: see `certainty`.
        draws: see `certainty`.

    Raises:
        InputError: see `limr.scores.scoring.score`.
    """
    scorer = _scorer(_of(samples, _evenly(samples)), selector, options, seed)
    used = scorer.samples
    walk = posterior.fit(used)
    rng = stream(seed, "enough", selector, "prospects")
    drawn = posterior.draws(used, walk, draws, rng)
    if pairs is None:
        pairs = [(m, k) for k in some_epochs(used.n_epochs) for m in SAMPLES]
    return _averaged(scorer, drawn, pairs, share, rng)


def _averaged(
    scorer: _Scorer,
    drawn: Iterator[tr.Floats],
    pairs: Sequence[tuple[int, int]],
    share: float,
    rng: np.random.Generator,
) -> list[Prospect]:
    """Return the prospects of (samples, epochs), averaged over draws of true curves."""
    found: dict[tuple[int, int], list[tuple[float, float]]] = {pair: [] for pair in pairs}
    for rates in drawn:
        true_scores = scorer.truth(rates)
        for pair in pairs:
            first, second = (scorer.scoring(rates, *pair, rng) for _ in range(2))
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


def _scorer(samples: tr.Samples, selector: str, options: Mapping[str, Any], seed: int) -> _Scorer:
    ids = [str(i) for i in range(len(samples.n))]
    problems = ProblemSet(ids, [None] * len(ids))
    known = validation.options(plugins.load("selectors", selector)).model_fields
    plain = {**options, "noise": "ignore"} if "noise" in known else options
    of, published = (
        diagnostics.subject(problems, samples, selector, given, seed=seed, name=selector)
        for given in (options, plain)
    )
    used = of.samples.first(of.samples.whole)
    return _Scorer(used, of.rescore, published.rescore)


def _evenly(samples: tr.Samples) -> tr.Ints:
    """Return the places of `MOST_PROBLEMS` of the sampled problems, evenly spaced by pass rate."""
    rate = samples.pass_rate
    order = np.argsort(rate, kind="stable")[: int((~np.isnan(rate)).sum())]
    number = min(len(order), MOST_PROBLEMS)
    return order[((np.arange(number) + 0.5) * len(order) / max(number, 1)).astype(np.int64)]


def _of(samples: tr.Samples, rows: tr.Ints) -> tr.Samples:
    return tr.Samples(samples.n[rows], samples.n_correct[rows], samples.whole)
