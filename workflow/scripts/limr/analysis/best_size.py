"""Which subset size is best at a given budget, the scoring run charged, and how sure that is.

Sizes are the copies of an arm that differ in their number of problems alone, and the full set. Each
is taken at its latest evaluated step that the budget pays for, after the scoring run that it needs;
a size whose scoring or first evaluated step costs more cannot be had. Which one is best is drawn
again: questions are resampled for all sizes at once, runs for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from limr.analysis import cells, contrasts, equal_what, results, subset_records
from limr.analysis import map as mapping
from limr.analysis.cells import Cell
from limr.analysis.results import Group, Inputs
from limr.core.random_streams import stream
from limr.statistics import bootstrap
from limr.statistics.intervals import Interval

_DRAWS = 2000


@dataclass(frozen=True)
class Size:
    """A size at a budget.

    Attributes:
        group: who trains on it.
        problems: the size; None: not known yet.
        known: whether it is evaluated and its costs are known.
        step: its latest evaluated step that the budget pays for; None: it cannot be had.
        spent: up to this step, scoring charged; NaN as above.
        accuracy: there; None as above.
        best: share of the draws in which it is the best; NaN as above, or where it is alone.
    """

    group: Group
    problems: int | None
    known: bool
    step: int | None
    spent: float
    accuracy: Interval | None
    best: float


@dataclass(frozen=True)
class Table:
    """The sizes of an arm of the file at a budget; `cell` has the axes that are no sizes."""

    name: str
    cell: Cell
    budget: float
    sizes: tuple[Size, ...]


def tables(inputs: Inputs, unit: str, budgets: Sequence[float] | None = None) -> list[Table]:
    """Return the sizes of every arm that is chosen or drawn in several sizes, by budget.

    Args:
        inputs: what the study has.
        unit: of budgets, see `limr.analysis.cost_curves.UNITS`.
        budgets: amounts; None: what the full set spends by each of its evaluated steps, and what
            the dearest size spends in all.

    Raises:
        InputError: a run lacks a question.
    """
    found = []
    for name in cells.families(inputs):
        for cell, groups in _by_setting(inputs, name).items():
            spent = {
                group.name: equal_what.amounts(inputs, group.name, equal_what.COMPUTE, unit)
                for group in groups
            }
            every = [own for own in spent.values() if own]
            usual = {*every[-1].values(), max(max(own.values()) for own in every)} if every else ()
            for budget in sorted(budgets if budgets is not None else usual):
                found.append(Table(name, cell, budget, _sizes(inputs, groups, spent, budget)))
    return found


def _by_setting(inputs: Inputs, name: str) -> dict[Cell, list[Group]]:
    """Return the values of the axes that are no sizes -> the sizes, the full sets last."""
    if mapping.kind(inputs, name) not in ("chosen", "random"):
        return {}
    sizes = _size_axes(inputs, name)
    full = [n for n in cells.families(inputs) if mapping.kind(inputs, n) == "full"]
    found: dict[Cell, list[Group]] = {}
    for group in cells.families(inputs)[name]:
        cell = cells.cell_of(inputs, group.name)
        rest = tuple(part for part in cell if part[0] not in sizes)
        found.setdefault(rest, []).append(group)
    for groups in found.values():
        others = [group for n in full for group in cells.families(inputs)[n]]
        groups += [g for g in others if cells.agree(inputs, g, groups[0])]
    return found if sizes else {}


def _size_axes(inputs: Inputs, name: str) -> set[str]:
    """Return the axes on which an arm's number of problems varies, the others being equal.

    Not those that reach the full set, such as the share of useless problems: they change the pool.
    """
    families = cells.families(inputs)
    pool = {
        axis
        for other, groups in families.items()
        if mapping.kind(inputs, other) == "full"
        for axis, _ in cells.cell_of(inputs, groups[0].name)
    }
    found = set()
    for axis in cells.axes(inputs):
        sizes: dict[Cell, set[int]] = {}
        for group in families[name]:
            cell, n = cells.cell_of(inputs, group.name), _problems(inputs, group)
            if axis in dict(cell) and n is not None:
                rest = tuple(part for part in cell if part[0] != axis)
                sizes.setdefault(rest, set()).add(n)
        if axis not in pool and any(len(own) > 1 for own in sizes.values()):
            found.add(axis)
    return found


def _problems(inputs: Inputs, group: Group) -> int | None:
    record = subset_records.group_record(inputs, group)
    return None if record is None else int(record["n_selected"])


def _sizes(
    inputs: Inputs, groups: Sequence[Group], spent: dict[str, dict[int, float]], budget: float
) -> tuple[Size, ...]:
    steps = {
        group.name: max(
            (s for s, cost in spent[group.name].items() if cost <= budget * (1 + 1e-9)),
            default=None,
        )
        for group in groups
    }
    had = {name: step for name, step in steps.items() if step is not None}
    frames = {n: results.headline_frames(inputs, n, step) for n, step in had.items()}
    best = dict(zip(had, _shares(inputs, frames), strict=True)) if len(had) > 1 else {}
    level = results.declared(inputs).level
    return tuple(
        Size(
            group,
            _problems(inputs, group),
            bool(spent[group.name]),
            steps[group.name],
            spent[group.name][had[group.name]] if group.name in had else float("nan"),
            contrasts.mean_of(inputs, frames[group.name]).interval(level)
            if group.name in had
            else None,
            best.get(group.name, float("nan")),
        )
        for group in groups
    )


def _shares(inputs: Inputs, frames: dict[str, results.Frames]) -> list[float]:
    """Return in which share of the draws each group has the highest mean accuracy."""
    first = next(iter(frames.values()))
    arms = {name: contrasts.as_arm(contrasts.asked_as(own, first)) for name, own in frames.items()}
    weights = results.declared(inputs).weight(list(first))
    drawn = bootstrap.means(arms, weights, stream(0, "best-size", *frames), _DRAWS)
    winner = np.stack(list(drawn.values())).argmax(axis=0)
    return [float((winner == place).mean()) for place in range(len(frames))]
