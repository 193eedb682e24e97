"""Where choosing pays: every pair of arms in every cell of a sweep and at every evaluated step.

A difference is paired by question, with the interval and p of every other comparison
(`limr.analysis.contrasts`). All differences of a pair are one family of tests, corrected by Holm
(1979), which holds however they hang together.

They do hang together: the steps of a run are one run, and one full set is the reference of all
sizes. The mean over a region therefore sums what each run adds before runs are said to vary
(`contrasts.mean_difference`), so that its interval is neither that of independent cells nor that of
their worst; means over regions are a family of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from limr.analysis import cells, contrasts, results, shared_variance, subset_records
from limr.analysis.cells import Match, Pair, Value
from limr.analysis.contrasts import Choice
from limr.analysis.results import Inputs
from limr.core.errors import InputError, nearest
from limr.core.validation import Number
from limr.statistics import hypothesis_tests, power
from limr.statistics.estimates import Estimate
from limr.statistics.intervals import Interval

Pairs = Annotated[
    list[Annotated[list[str], Field(min_length=2, max_length=2)]] | None,
    Field(
        description="Pairs of arms to compare in every cell, by their names in the study's file, "
        "as `[limr, rand]`; null: chosen with random, chosen with full, random with full."
    ),
]
Margin = Annotated[
    Number | None,
    Field(
        description="Points of accuracy that count as none: how much worse may still be called as "
        "good; null: the declared margin, else 2.",
        gt=0,
    ),
]
KINDS = ("chosen", "random", "full")
STEP = "step"


@dataclass(frozen=True)
class Difference:
    """The difference `first` - `second` in a cell at a step.

    Attributes:
        pair: the names of both in the study's file.
        match: the groups, and their cell.
        step: a training step.
        seeds: how many of each were evaluated there.
        estimate: None: one of the two has not been evaluated there.
        interval: at the declared level; None as above.
        p: its p value; NaN as above.
        holm: p corrected for all cells and steps of the pair; each enters with the larger of its
            own p and that with moderated variances (`limr.analysis.shared_variance`).
    """

    pair: Pair
    match: Match
    step: int
    seeds: tuple[int, int]
    estimate: Estimate | None = None
    interval: Interval | None = None
    p: float = float("nan")
    holm: float = float("nan")

    @property
    def place(self) -> dict[str, Value]:
        """Axis -> value, the step last."""
        return {**dict(self.match.cell), STEP: self.step}


@dataclass(frozen=True)
class Region:
    """The mean difference over the cells of a value of an axis, at their last step.

    Attributes:
        pair: see `Difference`.
        axis: None: over all cells.
        value: of the axis.
        n: cells that there are results for.
        estimate: the mean.
        interval: at the declared level.
        holm: its p corrected for all regions of the pair but the whole, whose p it is itself.
    """

    pair: Pair
    axis: str | None
    value: Value | None
    n: int
    estimate: Estimate
    interval: Interval
    holm: float


def pairs(inputs: Inputs, wanted: Sequence[Sequence[str]] | None = None) -> list[Pair]:
    """Return the pairs of arms to compare: chosen - random, chosen - full, random - full.

    Args:
        inputs: what the study has.
        wanted: pairs of names in the study's file; None: those above.

    Raises:
        InputError: a name that the study does not have, or a pair that meets in no cell.
    """
    known = cells.families(inputs)
    for name in (name for pair in wanted or () for name in pair):
        if name not in known:
            raise InputError(f"pairs: there is no arm '{name}'.{nearest(name, known)}")
    if wanted is not None:
        found = [(str(first), str(second)) for first, second in wanted]
    else:
        of = {trained: [n for n in known if kind(inputs, n) == trained] for trained in KINDS}
        kinds = (("chosen", "random"), ("chosen", "full"), ("random", "full"))
        found = [
            (a, b)
            for first, second in kinds
            for a in of[first]
            for b in of[second]
            if _is_reference(inputs, a, b)
        ]
    for pair in found:
        if not cells.matches(inputs, *pair):
            raise InputError(f"pairs: '{pair[0]}' and '{pair[1]}' meet in no cell of the sweep.")
    return found


def _is_reference(inputs: Inputs, first: str, second: str) -> bool:
    """Return whether no other setting is changed in the second arm than in the first."""
    met = cells.matches(inputs, first, second)
    return bool(met) and all(set(m.second.changes) <= set(m.first.changes) for m in met)


def kind(inputs: Inputs, name: str) -> str | None:
    """Return what an arm of the file trains on, of `KINDS`; None: not by PPO, or not known yet."""
    groups = cells.families(inputs)[name]
    records = [subset_records.group_record(inputs, group) for group in groups]
    if groups[0].train != "ppo" or not any(records):
        return None
    if any(map(subset_records.is_chosen, records)):
        return "chosen"
    return "random" if any(map(subset_records.is_random, records)) else "full"


@results.remembered
def differences(inputs: Inputs, pair: Pair) -> list[Difference]:
    """Return a pair's differences in every cell, step by step; with those that are still missing.

    Raises:
        InputError: a run lacks a question.
    """
    found = [
        _difference(inputs, pair, match, step)
        for match in cells.matches(inputs, *pair)
        for step in _steps(inputs, match)
    ]
    there = [one for one in found if one.estimate is not None]
    careful = [
        shared_variance.p_value(inputs, pair, one.match, one.step, one.estimate)
        for one in there
        if one.estimate is not None
    ]
    corrected = dict(zip(map(id, there), hypothesis_tests.holm(careful), strict=True))
    return [replace(one, holm=corrected.get(id(one), one.holm)) for one in found]


def _steps(inputs: Inputs, match: Match) -> list[int]:
    """Return the steps at which both groups are evaluated, or will be."""
    planned = inputs.study.get("steps", {})
    both = [set(planned.get(group.train, ())) for group in (match.first, match.second)]
    there = [set(cells.steps(inputs, group.name)) for group in (match.first, match.second)]
    return sorted(int(step) for step in (both[0] & both[1]) | (there[0] & there[1]) if step > 0)


def _difference(inputs: Inputs, pair: Pair, match: Match, step: int) -> Difference:
    names = match.first.name, match.second.name
    seeds = cells.n_seeds(inputs, names[0], step), cells.n_seeds(inputs, names[1], step)
    if 0 in seeds:
        return Difference(pair, match, step, seeds)
    estimate = contrasts.difference(inputs, *names, Choice(step=step))
    interval = estimate.interval(results.declared(inputs).level)
    return Difference(pair, match, step, seeds, estimate, interval, estimate.p_value())


def by_decoding(inputs: Inputs, name: str) -> Inputs:
    """Return the results as one decoding has them.

    Raises:
        InputError: no benchmark was asked by it.
    """
    frame = results.evaluated(inputs)
    if name not in (known := list(frame["decoding"].unique())):
        raise InputError(f"decodings: there is no decoding '{name}'.{nearest(name, known)}")
    return replace(inputs, evaluations=frame[frame["decoding"] == name])


def last(found: Sequence[Difference]) -> list[Difference]:
    """Return the differences at the last step that any cell has, those that are missing too."""
    there = [one.step for one in found if one.estimate is not None]
    return [one for one in found if there and one.step == max(there)]


@results.remembered
def regions(inputs: Inputs, pair: Pair, axes: tuple[str, ...] | None = None) -> list[Region]:
    """Return a pair's mean difference over all cells, and over those of every value of some axes.

    At the last step, over the cells that have results there; empty where there are none.

    Args:
        inputs: what the study has.
        pair: names in the study's file.
        axes: those whose values are regions, which are corrected together; None: all.

    Raises:
        InputError: a run lacks a question.
    """
    there = [one for one in last(differences(inputs, pair)) if one.estimate is not None]
    if not there:
        return []
    parts = [
        (axis, value, [one for one in there if one.place.get(axis) == value])
        for axis, values in cells.axes(inputs).items()
        if axes is None or axis in axes
        for value in values
        if any(axis in one.place for one in there)
    ]
    whole = _region(inputs, pair, None, None, there)
    found = [_region(inputs, pair, *part) for part in parts if part[2]]
    corrected = hypothesis_tests.holm([one.estimate.p_value() for one in found])
    return [whole, *(replace(one, holm=p) for one, p in zip(found, corrected, strict=True))]


def _region(
    inputs: Inputs, pair: Pair, axis: str | None, value: Value | None, own: Sequence[Difference]
) -> Region:
    estimate = mean(inputs, own)
    interval = estimate.interval(results.declared(inputs).level)
    return Region(pair, axis, value, len(own), estimate, interval, estimate.p_value())


def mean(inputs: Inputs, own: Sequence[Difference]) -> Estimate:
    """Return the mean of differences that there are results for, each counted the same.

    Raises:
        InputError: a run lacks a question.
    """
    places = [(one.match.first.name, one.match.second.name, one.step) for one in own]
    return contrasts.mean_difference(inputs, places)


def least(inputs: Inputs, found: Difference) -> float:
    """Return the smallest true difference that such a cell finds in 80 % of studies; NaN: none."""
    if found.estimate is None:
        return float("nan")
    return power.detectable(found.estimate, results.declared(inputs).level)


def margin(inputs: Inputs, wanted: float | None = None) -> float:
    """Return the difference in [0, 1] that counts as none: in points as wanted, declared, or 2."""
    if wanted is not None:
        return wanted / 100
    return results.declared(inputs).margin or 0.02


def as_good(inputs: Inputs, found: Difference, within: float) -> bool:
    """Return whether the first is shown to be no more than a margin worse (one-sided)."""
    if found.estimate is None:
        return False
    level = results.declared(inputs).level
    return found.estimate.mean - found.estimate.half_width(2 * level - 1) > -within


def place_text(one: Difference) -> str:
    """Return where a difference is, for people."""
    return ", ".join(part for part in (cells.text(one.match.cell), f"step {one.step:,}") if part)


def region_text(one: Region) -> str:
    """Return which cells a region has, for people."""
    if one.axis is None or one.value is None:
        return "all cells"
    return f"{one.axis} {cells.value_text(one.value)}"
