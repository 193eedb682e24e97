"""Backtest of selectors: choose from what was known after t visits, look at what came next.

For every t = 1, 2, … the prompts are scored from their first t visits alone; the `size` best are
chosen (ties count in part) and looked at in visits t + 1 … t + h (`limr.scores.lookahead`). Beside
the selectors stand `random`, the exact expectation of a random choice among the prompts that are
known at t, and `oracle`, which knows the groups that it is judged by. Sums over all t compare the
choices at the same t.

It says which choice keeps finding groups that carry a signal, not which one trains better.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from limr.core import plugins, validation
from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.scores import backtest_rows, scoring
from limr.scores.backtest_rows import ORACLE, RANDOM, SELECTOR
from limr.scores.lookahead import Lookahead
from limr.scores.reselection import Resamples, resamples
from limr.scores.scoring import ProblemSet
from limr.trajectories import visits
from limr.trajectories.curves import Flags, Floats, Samples

SIXTH = 1 / 6  # about what the paper keeps: 1,389 of 8,523
FEWEST = 3  # visits: a curve of two to choose from, and one to look at
_SEED = 1


@dataclass(frozen=True)
class Asked:
    """A selector to be tested: its name in the result, the plug-in and its options."""

    name: str
    selector: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """How to test.

    Attributes:
        size: prompts to choose; None: `share` of them.
        share: see `size`, in (0, 1].
        horizon: visits that are looked at after t, from 1.
        first: the first t, from 1.
        draws: of the bootstrap over prompts.
        level: of its intervals.
    """

    size: int | None = None
    share: float = SIXTH
    horizon: int = 1
    first: int = 1
    draws: int = 500
    level: float = 0.95


def every(options: Mapping[str, Any] | None = None) -> list[Asked]:
    """Return all selectors that score from trajectories; each takes those options that it has.

    Raises:
        InputError: an option that none of them has.
    """
    given, found = dict(options or {}), []
    taken: set[str] = set()
    for name in plugins.names("selectors"):
        module = plugins.load("selectors", name)
        if module.NEEDS_TRAJECTORIES:
            keys = validation.options(module).model_fields
            own = {key: value for key, value in given.items() if key in keys}
            taken |= own.keys()
            found.append(Asked(name, name, own))
    if unknown := given.keys() - taken:
        raise InputError(f"option '{min(unknown)}': no selector has it.")
    return found


def with_scores(scores: Sequence[Mapping[str, Any]]) -> list[Asked]:
    """Return the scores of a study, then the selectors that none of them is, with their defaults.

    Args:
        scores: of each its `name`, `selector` and `options`.
    """
    found = [Asked(one["name"], one["selector"], one["options"]) for one in scores]
    names = {one.name for one in found}
    usual = {one.selector for one in found if one.options == _completed(one.selector)}
    return found + [one for one in every() if one.name not in names | usual]


def _completed(selector: str) -> Mapping[str, Any] | None:
    """Return a selector's default options; None where it has an option that must be given."""
    keys = validation.options(plugins.load("selectors", selector))
    try:
        completed: Mapping[str, Any] = validation.complete({}, keys, f"selector '{selector}'")
    except InputError:
        return None
    return completed


def notes(asked: Sequence[Asked]) -> list[str]:
    """Return what must be known of selectors that do not score from the visits that are known."""
    return [
        f"'{one.name}' does not score from the log: its scores are the same at every t, and a "
        "backtest cannot tell whether they were made with what came later."
        for one in asked
        if not plugins.load("selectors", one.selector).NEEDS_TRAJECTORIES and one.name != RANDOM
    ]


def backtest(
    log: str, problems: ProblemSet, samples: Samples, asked: Sequence[Asked], plan: Plan
) -> pa.Table:
    """Return how every selector would have chosen: `limr.scores.backtest_rows.BACKTEST`.

    Args:
        log: a name for the log.
        problems: every problem, in the order of the samples.
        samples: all visits; of a log that ends within an epoch, its whole epochs are used.
        asked: the selectors; one of the name `random` is left to the exact expectation.
        plan: how to test.

    Raises:
        InputError: too few visits, groups of one sample, or a plan that the log cannot bear.
    """
    asked = [one for one in asked if one.name not in (RANDOM, ORACLE)]
    _check(samples, plan, asked)
    whole = samples.first(samples.whole or None)
    filtered = visits.filtered(whole.n, whole.n_correct)
    logged = (whole.n > 0).any(axis=1) | filtered
    ids, levels = list(problems.problem_ids), list(problems.levels)
    rows = np.flatnonzero(logged).tolist()
    problems = ProblemSet([ids[i] for i in rows], [levels[i] for i in rows])
    test = _Test(problems, Samples(whole.n[logged], whole.n_correct[logged]), filtered, plan)
    sums: dict[str, dict[int, Floats]] = {one.name: {} for one in asked}
    sums |= {RANDOM: {}, ORACLE: {}}
    reasons: dict[tuple[str, int], str] = {}
    for t in test.times:
        for name, scores in test.scores(asked, t).items():
            if isinstance(scores, str):
                reasons[name, t] = scores
            else:
                sums[name][t] = test.drawn.of_best(scores, test.size, test.columns(t))
    same = {"log": log, "prompts": len(problems), "size": test.size, "horizon": plan.horizon,
            "filtered": filtered, "draws": plan.draws, "level": plan.level}  # fmt: skip
    return backtest_rows.table(backtest_rows.rows(sums, reasons, test.times, plan.level), same)


def refused(log: str, reason: str, plan: Plan) -> pa.Table:
    """Return one row that says why a log cannot be tested."""
    row = {"selector": "all", "role": SELECTOR, "visits": 0, "measure": "signal", "reason": reason}
    same = {"log": log, "horizon": plan.horizon, "draws": plan.draws, "level": plan.level}
    return backtest_rows.table([row], same)


class _Test:
    """A log that is looked at from every t."""

    def __init__(self, problems: ProblemSet, samples: Samples, filtered: bool, plan: Plan) -> None:
        # The last pass of a filtered log may be unfinished: its gaps would count as uniform groups.
        last = samples.n_epochs - filtered
        if last < max(FEWEST, plan.first + plan.horizon):
            raise InputError(_too_few(last, plan, filtered))
        self.problems, self.plan = problems, plan
        self.samples, self.filtered = samples.first(last), filtered
        self.times = list(range(plan.first, last - plan.horizon + 1))
        self.size = _size(plan, len(problems))
        self.future = Lookahead(self.samples, filtered)
        self.drawn: Resamples = resamples(len(problems), plan.draws, stream(_SEED, "backtest"))

    def columns(self, t: int) -> Floats:
        """Return what each prompt adds to the sums at t; see `Lookahead.columns`."""
        return self.future.columns(t, self.plan.horizon)

    def scores(self, asked: Sequence[Asked], t: int) -> dict[str, Floats | str]:
        """Return name -> (n_problems,) scores from the first t visits, or why there are none."""
        known = Samples(self.samples.n[:, :t], self.samples.n_correct[:, :t])
        pool: Flags = np.asarray((known.n > 0).any(axis=1) | self.filtered)
        found: dict[str, Floats | str] = {
            one.name: scores_at(one, self.problems, known, pool) for one in asked
        }
        found[RANDOM] = np.where(pool, 0.0, np.nan)
        signal = self.future.known_signal(t, self.plan.horizon)
        found[ORACLE] = np.where(pool, signal, np.nan)
        return found


def scores_at(one: Asked, problems: ProblemSet, known: Samples, pool: Flags) -> Floats | str:
    """Return (n_problems,) scores of the prompts in the pool, NaN of others; or why there are none.

    Args:
        one: the selector.
        problems: every problem.
        known: the visits that are known, and no later one.
        pool: (n_problems,) what may be chosen.
    """
    try:
        made = scoring.score(
            one.selector,
            problems,
            known,
            one.options,
            seed=_SEED,
            name=f"{one.name} {known.n_epochs}",
        )
    except InputError as error:
        return str(error)
    values = np.where(pool, made.values, np.nan)
    if np.isnan(values).all():
        why = Counter({text: int((which & pool).sum()) for text, which in made.reasons.items()})
        return why.most_common(1)[0][0] if why else "no prompt has a score"
    return values


def _size(plan: Plan, n_problems: int) -> int:
    """Return how many prompts to choose.

    Raises:
        InputError: more than there are.
    """
    if plan.size is None:
        return max(1, round(plan.share * n_problems))
    if plan.size > n_problems:
        raise InputError(f"size {plan.size:,}: the log has {n_problems:,} prompts to choose from.")
    return plan.size


def _check(samples: Samples, plan: Plan, asked: Sequence[Asked]) -> None:
    """Refuse what no log can bear, and logs without groups."""
    if not 0 < plan.share <= 1:
        raise InputError(f"share {plan.share:g}: expected a number above 0, at most 1.")
    for name in ("horizon", "first"):
        if getattr(plan, name) < 1:
            raise InputError(f"{name} {getattr(plan, name)}: expected a whole number from 1.")
    if plan.size is not None and plan.size < 1:
        raise InputError(f"size {plan.size}: choose at least 1 prompt.")
    if len({one.name for one in asked}) < len(asked):
        twice = Counter(one.name for one in asked).most_common(1)[0][0]
        raise InputError(f"selector '{twice}' is asked for twice with the same options.")
    if samples.n.max() < 2:
        raise InputError(
            "every visit has one sample: a group of one is all right or all wrong and never has a "
            "signal, so there is nothing to look for. A backtest needs logs with several samples "
            "for each prompt."
        )


def _too_few(last: int, plan: Plan, filtered: bool) -> str:
    needed = max(FEWEST, plan.first + plan.horizon)
    visits_ = "visit" if last == 1 else "visits"
    unsure = " (without the last pass, which may be unfinished)" if filtered else ""
    return (
        f"the log has {last} whole {visits_} to most prompts{unsure}, and this backtest needs "
        f"{needed}: {needed - plan.horizon} to choose from and {plan.horizon} to look at. Take a "
        "longer log, a smaller horizon or an earlier first t."
    )
