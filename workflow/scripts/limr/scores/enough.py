"""How much scoring is enough: how sure a choice of the best problems is, and what more would buy.

True curves are drawn from the posterior of the log's (`limr.scores.posterior`), so that both the
noise of the samples and what is not known of the curves are in every number. A problem belongs to
the best as often as it is among the best of the true curves, which unlimited samples of the same
epochs would choose. What other scorings of the problems would give: `limr.scores.prospects`.

This asks whether the samples suffice to rank by a score. Whether the score picks what trains best
is another question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from limr.core.random_streams import stream
from limr.scores import posterior, prospects
from limr.scores.prospects import DRAWS, SHARE, Prospect
from limr.trajectories import curves as tr

WANTED = 0.8  # of the chosen problems
MOST_VISITS = 1_000_000  # of which each problem's own chance is drawn


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
    others: tuple[Prospect, ...]
    wanted: float

    @property
    def enough(self) -> Prospect | None:
        """The cheapest scoring whose choice agrees with the truth as wanted; None: none does."""
        return prospects.cheapest(self.others, self.wanted)


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
    return Outlook(now, tuple(prospects.of_log(samples, selector, options, draws=draws)), wanted)


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
    rows = prospects.evenly(samples) if large else np.arange(len(samples.n))
    scorer = prospects.scorer(prospects.take(samples, rows), selector, options, seed)
    used = scorer.samples
    scores = scorer.rescore(used)
    scored = ~np.isnan(scores)
    n = int(scored.sum())
    every = np.full(len(samples.n), np.nan)
    if not n:
        return Certainty(0, 0, every, np.nan, np.nan, 0, used.n_epochs)
    size = max(1, round(share * n))
    chosen = prospects.best(scores, size)
    rng = stream(seed, "enough", selector)
    belongs, again = np.zeros(len(scores)), 0.0
    for rates in posterior.draws(used, posterior.fit(used), draws, rng):
        belongs += prospects.best(np.where(scored, scorer.truth(rates), np.nan), size)
        second = scorer.scoring(rates, None, used.n_epochs, rng)
        again += float(chosen @ prospects.best(np.where(scored, second, np.nan), size))
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
