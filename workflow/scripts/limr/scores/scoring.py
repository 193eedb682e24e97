"""From problems and their samples to scores: what a selector gets and returns, how it is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from limr.core import plugins, validation
from limr.core.arrow import numbers, strings
from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.core.tables import SCORES, Problem
from limr.trajectories import curves as tr


@dataclass(frozen=True)
class ProblemSet:
    """What a selector may know of the problems: their ids and levels (None: unknown), in order."""

    problem_ids: Sequence[str]
    levels: Sequence[int | None]

    def __len__(self) -> int:
        return len(self.problem_ids)


@dataclass(frozen=True)
class Scores:
    """What a selector gives.

    Attributes:
        values: (n_problems,) scores, higher is better; NaN = not scorable.
        reasons: why problems are not scorable -> (n_problems,) which ones. Every NaN needs one.
        notes: what a user must know of how they were made, in sentences.
    """

    values: tr.Floats
    reasons: Mapping[str, tr.Flags] = field(default_factory=dict)
    notes: Sequence[str] = ()


def candidates(problems: Sequence[Problem]) -> ProblemSet:
    """Return problems as a selector sees them."""
    return ProblemSet([p.problem_id for p in problems], [p.level for p in problems])


def from_curves(curves: tr.Curves, values: tr.Floats, undefined: str = "") -> Scores:
    """Return scores of usable curves; every other problem is NaN with the curve's reason.

    Args:
        curves: all problems' curves.
        values: (n_usable,) scores; NaN = not defined for such a curve.
        undefined: why a usable curve may have no score, where that can be.
    """
    full = np.full(len(curves.usable), np.nan)
    full[curves.usable] = values
    reasons = dict(curves.reasons)
    lacking = curves.usable & np.isnan(full)
    if lacking.any():
        reasons[undefined] = lacking
    return Scores(full, reasons)


def from_pass_rate(samples: tr.Samples, values: tr.Floats, undefined: str = "") -> Scores:
    """Return scores from pass rates: NaN where a problem was never sampled.

    Args:
        samples: of the used epochs.
        values: (n_problems,) scores; NaN = not defined for such samples.
        undefined: why a sampled problem may have no score, where that can be.
    """
    absent: tr.Flags = samples.n.sum(axis=1) == 0
    reasons = {tr.NOT_SAMPLED: absent}
    if undefined:
        reasons[undefined] = ~absent & np.isnan(values)
    return Scores(np.where(absent, np.nan, values), reasons)


def drawn_at_random(selected: tr.Flags, chosen: tr.Flags, what: str) -> list[str]:
    """Return a warning where more was selected than a selector of yes and no has chosen.

    Args:
        selected: (n_problems,) whether a problem was selected.
        chosen: (n_problems,) whether the selector said yes.
        what: what the others are, such as "lie outside the window".
    """
    others = int((selected & ~chosen).sum())
    if not others:
        return []
    return [
        f"{others} of the {int(selected.sum())} selected problems {what}, "
        f"drawn at random: only {int(chosen.sum())} problems are in the choice, and more were "
        "asked for. Cut at `threshold: 1`, or give all arms a smaller size."
    ]


def score(
    selector: str,
    problems: ProblemSet,
    samples: tr.Samples | None,
    options: Mapping[str, Any],
    *,
    seed: int,
    name: str,
) -> Scores:
    """Score every problem with a selector.

    Args:
        selector: a plug-in's name.
        problems: every problem of the data set, in order.
        samples: the samples behind the learning curves, for selectors that need them.
        options: the selector's options; defaults are filled in.
        seed: the study's seed.
        name: the name of these scores, such as `rand-1`: it names the random stream.

    Raises:
        InputError: unknown selector or option, or samples that are needed and missing.
    """
    module = plugins.load("selectors", selector)
    where = f"selector '{selector}'"
    settings = validation.complete(dict(options), validation.options(module), where)
    if module.NEEDS_TRAJECTORIES and samples is None:
        raise InputError(
            f"{where} needs trajectories: name the ones to score from (`trajectories: <name>`)."
        )
    found: Scores = module.score(problems, samples, settings, stream(seed, "select", name))
    if found.values.shape != (len(problems),):
        raise ValueError(f"{where}: it must return one score a problem, in the problems' order")
    return found


def score_table(found: Scores, problems: ProblemSet) -> pa.Table:
    """Return scores as `limr.core.tables.SCORES`, one row a problem, in the problems' order.

    Raises:
        ValueError: a score is infinite, or NaN without a reason.
    """
    reason = np.full(len(problems), "", dtype=object)
    for text, which in found.reasons.items():
        reason[which & np.isnan(found.values)] = text
    if np.isinf(found.values).any() or (np.isnan(found.values) & (reason == "")).any():
        raise ValueError("a selector's scores must be finite, or NaN with a reason")
    return pa.table(
        [strings(problems.problem_ids), numbers(found.values), strings(list(reason))],
        schema=SCORES,
    )
