"""The cells of a sweep: which arms of a study's file were copied, and whom a copy is compared with.

A study with a `sweep` has an arm of its file once for every value of the axes that reach it. Such a
copy is in a cell; an arm that an axis does not reach stands for all of its values. Two arms may be
compared where they have the same value on every axis that both have. Without a sweep, every arm is
in the one cell without axes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from limr.analysis import results
from limr.analysis.results import Group, Inputs

Value = bool | int | float | str
Cell = tuple[tuple[str, Value], ...]  # (axis, value) in the axes' order
Pair = tuple[str, str]  # names of arms in the study's file


@dataclass(frozen=True)
class Match:
    """Two groups that are compared, and the cell of both together."""

    first: Group
    second: Group
    cell: Cell


@results.remembered
def axes(inputs: Inputs) -> dict[str, list[Value]]:
    """Return axis -> its values in the study's order; empty without a sweep."""
    return {axis: list(values) for axis, values in (inputs.study.get("sweep") or {}).items()}


@results.remembered
def cell_of(inputs: Inputs, group: str) -> Cell:
    """Return a group's cell: its value on every axis that reaches it."""
    arm = next(arm for arm in inputs.study["arms"] if arm["group"] == group)
    own = arm.get("cell", {})
    return tuple((axis, own[axis]) for axis in axes(inputs) if axis in own)


@results.remembered
def families(inputs: Inputs) -> dict[str, list[Group]]:
    """Return name of an arm in the study's file -> its groups, one per cell."""
    names = {arm["group"]: str(arm.get("of", arm["group"])) for arm in inputs.study["arms"]}
    found: dict[str, list[Group]] = {}
    for group in inputs.groups:
        found.setdefault(names[group.name], []).append(group)
    return found


def title(inputs: Inputs, name: str) -> str:
    """Return the title of an arm of the file: that of a copy, without its cell."""
    return without_cell(inputs, families(inputs)[name][0])


def without_cell(inputs: Inputs, group: Group) -> str:
    """Return a group's title without its cell."""
    cell = cell_of(inputs, group.name)
    return group.title.split(f", {cell[0][0]} ")[0] if cell else group.title


@results.remembered
def matches(inputs: Inputs, first: str, second: str) -> list[Match]:
    """Return the groups of two arms of the file that are compared, in the study's order."""
    known = families(inputs)
    return [
        Match(one, other, joined(inputs, cell_of(inputs, one.name), cell_of(inputs, other.name)))
        for one in known[first]
        for other in known[second]
        if agree(inputs, one, other)
    ]


def agree(inputs: Inputs, one: Group, other: Group) -> bool:
    """Return whether two groups have the same value on every axis that both have."""
    ours, theirs = (dict(cell_of(inputs, group.name)) for group in (one, other))
    return all(ours[axis] == theirs[axis] for axis in ours.keys() & theirs.keys())


def joined(inputs: Inputs, one: Cell, other: Cell) -> Cell:
    """Return the cell that has the values of both."""
    both = {**dict(other), **dict(one)}
    return tuple((axis, both[axis]) for axis in axes(inputs) if axis in both)


def n_seeds(inputs: Inputs, group: str, step: int) -> int:
    """Return with how many seeds a group was evaluated at a step."""
    return len(_evaluated(inputs).get((group, step), ()))


def steps(inputs: Inputs, group: str) -> list[int]:
    """Return the steps at which a group was evaluated, in order."""
    return sorted(step for name, step in _evaluated(inputs) if name == group)


@results.remembered
def _evaluated(inputs: Inputs) -> dict[tuple[str, int], set[int]]:
    """Return (group, step) -> the seeds that were evaluated there."""
    found: dict[tuple[str, int], set[int]] = {}
    rows = results.evaluated(inputs)[["group", "step", "seed"]].drop_duplicates()
    for group, step, seed in zip(rows["group"], rows["step"], rows["seed"], strict=True):
        found.setdefault((str(group), int(step)), set()).add(int(seed))
    return found


def value_text(value: Value) -> str:
    """Return a value of an axis for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def text(cell: Cell) -> str:
    """Return a cell for people, e.g. `useless 0.25, size 64`; empty without axes."""
    return ", ".join(f"{axis} {value_text(value)}" for axis, value in cell)


@results.remembered
def shown(inputs: Inputs) -> Cell:
    """Return the cell that is looked at closely: that of the declared arm, else the first one."""
    trained = [group for group in inputs.groups if group.train != "none"]
    declared = [group for group in trained if group.name == results.declared(inputs).arm]
    near = [group for group in trained if all(agree(inputs, group, one) for one in declared)]
    return max((cell_of(inputs, group.name) for group in [*declared, *near]), key=len, default=())


def only(inputs: Inputs, cell: Cell) -> Inputs:
    """Return the results of a cell, with what it shares with others, as a study without a sweep.

    The cell's values are left out of titles, where these then still differ.
    """
    wanted = dict(cell)
    gone = {
        arm
        for group in inputs.groups
        if any(wanted.get(axis, value) != value for axis, value in cell_of(inputs, group.name))
        for arm in group.arms
    }
    arms = [arm for arm in inputs.study["arms"] if arm["name"] not in gone]
    short = {group.name: without_cell(inputs, group) for group in inputs.groups}
    groups = {arm["group"] for arm in arms}
    if len({short[name] for name in groups}) == len(groups):
        arms = [{**arm, "title": short[arm["group"]]} for arm in arms]

    def kept(frame: pd.DataFrame | None) -> pd.DataFrame | None:
        return None if frame is None else frame[~frame["arm"].isin(gone)]

    subsets = {arm: record for arm, record in inputs.subsets.items() if arm not in gone}
    used = {record["score"] for record in subsets.values()}
    return replace(
        inputs,
        study={**inputs.study, "arms": arms, "sweep": {}},
        evaluations=kept(inputs.evaluations),
        metrics=kept(inputs.metrics),
        subsets=subsets,
        scores={name: score for name, score in inputs.scores.items() if name in used},
        runs=[run for run in inputs.runs if run["arm"] not in gone],
    )
