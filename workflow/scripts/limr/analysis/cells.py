"""The cells of a sweep: which arms of a study's file were copied, and whom a copy is compared with.

A study with a `sweep` has an arm of its file once for every value of the axes that reach it. Such a
copy is in a cell; an arm that an axis does not reach stands for all of its values. Two arms may be
compared where they have the same value on every axis that both have. Without a sweep, every arm is
in the one cell without axes.
"""

from __future__ import annotations

from dataclasses import dataclass

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
