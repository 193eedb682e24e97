"""Means of groups and their differences, as the study declared them or by another choice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from limr.analysis import cells, results, subset_records
from limr.analysis.answer_rows import Run
from limr.analysis.results import Group, Inputs
from limr.statistics import estimates
from limr.statistics.estimates import Arm, Estimate
from limr.statistics.intervals import Interval

Key = tuple[str, ...]  # whose runs: a group's, or those of two groups that share their start


@dataclass(frozen=True)
class Choice:
    """What a comparison is made from; None: what the study declared.

    Attributes:
        step: training step of both groups; `last`: each group's last evaluated one; `best`: each
            group's best on the reported benchmarks, which is optimistic.
        decoding: None: each benchmark's first.
        benchmarks: None: all.
        seed: None: all.
        alike: whether every benchmark counts the same, whatever the declared weights.
        second_step: training step of the second group, where it is another one.
    """

    step: int | str | None = None
    decoding: str | None = None
    benchmarks: Sequence[str] | None = None
    seed: int | None = None
    alike: bool = False
    second_step: int | None = None

    @property
    def of_second(self) -> Choice:
        """What the second group is compared by."""
        if self.second_step is None:
            return self
        return replace(self, step=self.second_step, second_step=None)


def group_interval(
    inputs: Inputs,
    group: str,
    benchmarks: Sequence[str] | None = None,
    problem_ids: Sequence[str] | None = None,
) -> Interval:
    """Return the mean over benchmarks of a group at its reported step, with its interval.

    Args:
        inputs: what the study has.
        group: its name.
        benchmarks: those to take the mean of; None: all.
        problem_ids: the questions to take it over; None: all.

    Raises:
        InputError: a run lacks a question.
    """
    frames = _frames(inputs, group, Choice(benchmarks=benchmarks))
    if problem_ids is not None:
        frames = {name: wide.reindex(columns=list(problem_ids)) for name, wide in frames.items()}
    return mean_of(inputs, frames).interval(results.declared(inputs).level)


def mean_of(inputs: Inputs, frames: Mapping[str, pd.DataFrame]) -> Estimate:
    """Return the mean, by the declared weights, of `limr.analysis.results.answers_of` of one group.

    Raises:
        InputError: a run lacks a question.
    """
    weights = results.declared(inputs).weight(list(frames))
    return estimates.of_mean(as_arm(frames), weights)


def group_difference(
    inputs: Inputs, first: str, second: str, choice: Choice | None = None
) -> Interval:
    """Return the interval of `difference` at the declared level."""
    found = difference(inputs, first, second, choice)
    return found.interval(results.declared(inputs).level)


def difference(inputs: Inputs, first: str, second: str, choice: Choice | None = None) -> Estimate:
    """Return the difference `first` - `second`, paired by question.

    Runs of one seed that started from the same run have its steps in common: they are paired by
    seed too, so that what the common part happened to be does not count as a difference.

    Args:
        inputs: what the study has.
        first: a group.
        second: another.
        choice: what to compare; None: what the study declared.

    Raises:
        InputError: a run lacks a question, or the groups were asked different ones.
    """
    choice = choice or Choice()
    weights = None
    if not choice.alike:
        weights = results.declared(inputs).weight(list(_frames(inputs, first, choice)))
    arms = [as_arm(frames) for _, frames in terms(inputs, first, second, choice)]
    return estimates.of_sum(arms, weights)


def mean_difference(inputs: Inputs, places: Sequence[tuple[str, str, int]]) -> Estimate:
    """Return the mean of differences `first` - `second` at several places.

    A run that several of them have in common, such as two steps of one run or one reference of many
    groups, is one run: what it adds to each is summed before runs are said to vary.

    Args:
        inputs: what the study has.
        places: (first, second, step) of each, at least one.

    Raises:
        InputError: a run lacks a question, or the groups were asked different ones.
    """
    parts = [
        part
        for first, second, step in places
        for part in terms(inputs, first, second, Choice(step=step))
    ]
    return sum_of(inputs, parts, len(places))


def sum_of(
    inputs: Inputs, parts: Iterable[tuple[Key, Mapping[str, pd.DataFrame]]], over: int = 1
) -> Estimate:
    """Return the mean over benchmarks of a sum of parts, see `terms`, divided by `over`.

    Raises:
        InputError: a run lacks a question, or the parts have different ones.
    """
    total: dict[Key, dict[str, pd.DataFrame]] = {}
    for key, frames in parts:
        known = total.get(key, {})
        total[key] = {
            name: wide if name not in known else known[name] + wide for name, wide in frames.items()
        }
    columns = {name: wide.columns for name, wide in next(iter(total.values())).items()}
    arms = [
        as_arm({name: frames[name].reindex(columns=columns[name]) / over for name in frames})
        for frames in total.values()
    ]
    return estimates.of_sum(arms, results.declared(inputs).weight(list(columns)))


def comparable(inputs: Inputs, first: str, second: str, step: int) -> bool:
    """Return whether both groups have runs at a step; of a common start, of one seed."""
    found = terms(inputs, first, second, Choice(step=step))
    return not any(wide.empty for _, frames in found for wide in frames.values())


def terms(
    inputs: Inputs, first: str, second: str, choice: Choice
) -> list[tuple[Key, dict[str, pd.DataFrame]]]:
    """Return whose runs, and what each adds to `first` - `second` at each question.

    Columns are in one order, by id, so that every question is compared with itself.
    """
    if (start := _start(inputs, first)) and start == _start(inputs, second):
        return [((first, second), _gaps_by_seed(inputs, first, second, choice))]
    ours, theirs = _frames(inputs, first, choice), _frames(inputs, second, choice.of_second)
    less = {name: -wide for name, wide in asked_as(theirs, ours).items()}
    return [((first,), ours), ((second,), less)]


def _start(inputs: Inputs, group: str) -> str | None:
    """Return the arm whose run, of its seed, every run of a group began as; None: several."""
    arms = [arm for arm in inputs.study["arms"] if arm["group"] == group]
    firsts = {str(arm["way"][0][0]) if arm.get("way") else str(arm["name"]) for arm in arms}
    return firsts.pop() if len(firsts) == 1 else None


def _gaps_by_seed(
    inputs: Inputs, first: str, second: str, choice: Choice
) -> dict[str, pd.DataFrame]:
    """Return benchmark -> differences, a row for each seed of both: a mean over its draws."""
    ours, theirs = _frames(inputs, first, choice), _frames(inputs, second, choice.of_second)
    found = {}
    for name, wide in ours.items():
        sides = [side.groupby(level="seed", sort=True).mean() for side in (wide, theirs[name])]
        both = sides[0].index.intersection(sides[1].index)
        other = sides[1].reindex(index=both, columns=wide.columns)
        gaps = sides[0].loc[both] - other
        found[name] = gaps.set_index(pd.MultiIndex.from_product([[""], both]))
    return found


def change(inputs: Inputs, group: str, earlier: int, later: int) -> Estimate:
    """Return how far a group's accuracy changed between two steps, paired by run and question.

    Raises:
        InputError: a run lacks a question.
    """
    before, after = (_frames(inputs, group, Choice(step=step)) for step in (earlier, later))
    gaps = {
        name: wide - before[name].reindex(index=wide.index, columns=wide.columns)
        for name, wide in after.items()
    }
    return estimates.of_change(as_arm(gaps), results.declared(inputs).weight(list(gaps)))


def paired(inputs: Inputs, first: str, second: str, choice: Choice) -> tuple[Arm, Arm]:
    """Return the results of two groups, with the same questions in the same order."""
    ours, theirs = _frames(inputs, first, choice), _frames(inputs, second, choice.of_second)
    return as_arm(ours), as_arm(asked_as(theirs, ours))


def asked_as(
    theirs: Mapping[str, pd.DataFrame], ours: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Return results with the questions in the others' order, by id, so that each meets itself."""
    return {name: wide.reindex(columns=ours[name].columns) for name, wide in theirs.items()}


def as_arm(frames: Mapping[str, pd.DataFrame]) -> Arm:
    """Return benchmark -> `limr.analysis.results.answers_of` as an arm's results.

    The units that vary are draws, where there are several; seeds, where each draw has one alone.
    """
    index = next(iter(frames.values())).index if frames else pd.MultiIndex.from_tuples([("", 0)])
    names, seeds = index.get_level_values(0), index.get_level_values(1)
    alone = len(names.unique()) == len(index) > 1 and len(seeds.unique()) > 1
    draws = [str(unit) for unit in (seeds if alone else names)]
    return Arm({name: wide.to_numpy(np.float64) for name, wide in frames.items()}, draws)


def _frames(inputs: Inputs, group: str, choice: Choice) -> dict[str, pd.DataFrame]:
    step = _steps(inputs, group, choice.step)
    found = {}
    for name in results.benchmarks(inputs):
        if choice.benchmarks is None or name in choice.benchmarks:
            decoding = choice.decoding or results.first_decoding(inputs, name)
            wide = results.answers_of(inputs, group, step, name, decoding)
            if choice.seed is not None:
                wide = wide[wide.index.get_level_values("seed") == choice.seed]
            found[name] = wide
    return found


def _steps(inputs: Inputs, group: str, wanted: int | str | None) -> int | Mapping[Run, int]:
    if wanted is None:
        return results.reported_steps(inputs, group)
    if wanted == "last":
        return results.final_step(inputs, group)
    return best_step(inputs, group) if wanted == "best" else int(wanted)


def best_step(inputs: Inputs, group: str) -> int:
    """Return a group's best step on the reported benchmarks: for comparison, never to report."""
    frame = results.evaluated(inputs)
    steps = sorted(frame.loc[frame["group"] == group, "step"].unique())
    return max(
        (int(step) for step in steps),
        key=lambda step: mean_of(inputs, results.headline_frames(inputs, group, step)).mean,
    )


def shared_steps(inputs: Inputs, first: str, second: str) -> list[int]:
    """Return the evaluated steps that two groups share, except the untrained policy's."""
    frame = results.evaluated(inputs)
    steps = [set(frame.loc[frame["group"] == name, "step"]) for name in (first, second)]
    return [int(step) for step in sorted(steps[0] & steps[1]) if step > 0]


def pairs(inputs: Inputs) -> list[tuple[Group, Group]]:
    """Return the pairs of groups to compare: each trained one with the full set and random draws.

    References are the PPO groups that train on every problem, and those that train on random ones,
    where no other setting is changed. A control is compared with them but is never a reference.
    Cells of a sweep are compared only with references of the same values; what a sweep changes in
    both is no other setting.
    """
    trained = [group for group in results.evaluated_groups(inputs) if group.train != "none"]
    records = {group.name: subset_records.group_record(inputs, group) for group in trained}
    swept = {group.name for group in trained if cells.cell_of(inputs, group.name)}
    plain = [g for g in trained if g.train == "ppo" and (not g.changes or g.name in swept)]
    full = [g for g in plain if subset_records.is_full(records[g.name])]
    drawn = [g for g in plain if subset_records.is_random(records[g.name])]
    return [
        (first, second)
        for references in (full, drawn)
        for second in references
        for first in trained
        if first is not second
        and not (references is drawn and first in full)
        and set(second.changes) <= set(first.changes)
        and cells.agree(inputs, first, second)
    ]


def base(inputs: Inputs) -> Group | None:
    """Return the untrained policy that all arms start from; None where it was not evaluated.

    A base that was asked in another way, a control, is not a start.
    """
    untrained = (group for group in results.evaluated_groups(inputs) if group.train == "none")
    return next((group for group in untrained if not group.changes), None)


def base_pairs(inputs: Inputs) -> list[tuple[Group, Group]]:
    """Return every trained group with the untrained base; empty where that was not evaluated."""
    start = base(inputs)
    trained = [group for group in results.evaluated_groups(inputs) if group.train != "none"]
    return [(group, start) for group in trained] if start else []
