"""A sweep before it runs: what its grid costs, and which arms of a cell can be told apart."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path
from typing import Any

from limr.core import plugins
from limr.plan import bill, detectable
from limr.plan.cost import Range
from limr.plan.counts import Counts
from limr.plan.estimate import Task
from limr.study.arms import Arm
from limr.study.study import Study

Json = dict[str, Any]
_RULES = ("train_ppo", "evaluate")  # whose jobs a run's time is
_PAIRS = 6  # that are shown where the study names none


def plan(
    study: Study, counts: Counts, tasks: Sequence[Task], accuracy: float | None
) -> Json | None:
    """Return what a sweep costs and can show; None where the study has none.

    Args:
        study: a checked study.
        counts: how many problems there are.
        tasks: its jobs on GPUs; none where it needs none.
        accuracy: see `limr.plan.detectable.plan`.

    Returns:
        `axes`; `cells`, how many combinations there are; `rows`, each of an arm of the file, of a
        value of an axis or of all runs, with arms, runs, to_do, rollouts, and the hours still to do
        (`gpu_hours`, or `hours` of one core as finished runs of this study took, None if none
        did); `pairs`, see `_pair`.
    """
    if not study.axes:
        return None
    trained = [study.arms[name] for name in study.trained]
    runs = {arm.name: _Runs.of(study, counts, tasks, arm) for arm in trained}
    speed = _seconds(study, counts, runs)
    rows = [
        _row(what, [runs[arm.name] for arm in arms], bool(tasks), speed)
        for what, arms in _parts(study, trained)
    ]
    return {
        "axes": study.axes,
        "cells": math.prod(map(len, study.axes.values())),
        "rows": rows,
        "pairs": _pairs(study, counts, accuracy),
    }


@dataclass(frozen=True)
class _Runs:
    """The runs of an arm: how many, how many are left, rollouts of each, GPU hours left."""

    arm: Arm
    n: int
    left: list[int]  # seeds
    rollouts: int
    hours: Range

    @staticmethod
    def of(study: Study, counts: Counts, tasks: Sequence[Task], arm: Arm) -> _Runs:
        left = [
            seed
            for seed in arm.seeds
            if not (counts.results / f"runs/{arm.name}/seed{seed}/run.json").is_file()
        ]
        steps = arm.settings["steps"] - (arm.start.step if arm.start else 0)
        rollouts = steps * bill.batch(study, counts, arm.name) if arm.train == "ppo" else 0
        hours = Range(0.0, 0.0, 0.0)
        for task in tasks:
            if task.arm == arm.name:
                hours += task.gpu_hours.times(task.to_do)
        return _Runs(arm, len(arm.seeds), left, rollouts, hours)


def _parts(study: Study, arms: Sequence[Arm]) -> list[tuple[str, list[Arm]]]:
    """Return the arms of each name in the file, of each value of each axis, and all."""
    found: dict[str, list[Arm]] = {}
    for arm in arms:
        found.setdefault(arm.family, []).append(arm)
    for axis, values in study.axes.items():
        for value in values:
            found[f"{axis} = {value}"] = [arm for arm in arms if arm.cell.get(axis) == value]
    return [*((what, own) for what, own in found.items() if own), ("all", list(arms))]


def _row(what: str, runs: Sequence[_Runs], on_gpus: bool, speed: float | None) -> Json:
    left = sum(len(one.left) * one.rollouts for one in runs)
    hours = Range(0.0, 0.0, 0.0)
    for one in runs:
        hours += one.hours
    on_cores = None if speed is None else float(f"{left * speed / 3600:.3g}")
    return {
        "what": what,
        "arms": len({one.arm.draw for one in runs}),
        "runs": sum(one.n for one in runs),
        "to_do": sum(len(one.left) for one in runs),
        "rollouts": sum(one.n * one.rollouts for one in runs),
        **({"gpu_hours": hours.rounded()} if on_gpus else {"hours": on_cores}),
    }


def _seconds(study: Study, counts: Counts, runs: Mapping[str, _Runs]) -> float | None:
    """Return the seconds of one core for a rollout, its training and evaluation, as they took."""
    took = done = 0.0
    for one in runs.values():
        for seed in set(one.arm.seeds) - set(one.left) if one.rollouts else ():
            name = f"{one.arm.name}-seed{seed}.tsv"
            each = [_took(counts.results / f"benchmarks/{rule}/{name}") for rule in _RULES]
            if None not in each:
                took, done = took + sum(filter(None, each)), done + one.rollouts
    return took / done if done else None


def _took(path: Path) -> float | None:
    """Return the seconds of a job, from the file that Snakemake wrote of it."""
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", newline="") as file:
        try:
            return sum(float(row["s"]) for row in csv.DictReader(file, delimiter="\t"))
        except (KeyError, TypeError, ValueError):
            return None  # cut short by a kill


def _pairs(study: Study, counts: Counts, accuracy: float | None) -> list[Json]:
    design = detectable.of(study, counts, accuracy)
    if design is None:
        return []
    groups: dict[str, dict[str, list[Arm]]] = {}  # name in the file -> group -> its draws
    for name in study.arms_by("ppo"):
        arm = study.arms[name]
        if arm.shown:
            groups.setdefault(arm.family, {}).setdefault(arm.group, []).append(arm)
    asked = [study.config[kind].get("map", {}).get("pairs") for kind in ("tables", "figures")]
    pairs = next(filter(None, asked), list(combinations(groups, 2))[:_PAIRS])
    return [
        _pair(study, counts, design, (one, other), (groups[one], groups[other]))
        for one, other in pairs
        if one in groups and other in groups
    ]


def _pair(
    study: Study,
    counts: Counts,
    design: detectable.Design,
    names: tuple[str, str],
    groups: tuple[Mapping[str, list[Arm]], Mapping[str, list[Arm]]],
) -> Json:
    """Return what two arms of a cell can show.

    Returns:
        `pair`; `axes` that reach either; `points`, the smallest difference within a cell that is
        found in 80 % of such studies, `every_cell` the same at a level that allows for all cells,
        `two_cells` the smallest difference between the differences of two cells; `cells`, each with
        its values and `lacking`: the share of the larger one's problems that the other is expected
        to lack; 0: both have the same ones; None: not known.
    """
    cells: list[Json] = []
    draws = (1, 1)
    for one, other in product(*(list(group.values()) for group in groups)):
        cell = {**one[0].cell, **other[0].cell}
        if all(other[0].cell.get(axis, value) == value for axis, value in one[0].cell.items()):
            ordered = {axis: cell[axis] for axis in study.axes if axis in cell}
            cells.append({"cell": ordered, "lacking": _lacking(study, counts, one[0], other[0])})
            draws = (len({arm.draw for arm in one}), len({arm.draw for arm in other}))
    return {
        "pair": list(names),
        "axes": [axis for axis in study.axes if any(axis in one["cell"] for one in cells)],
        "points": design.points(design.seeds, draws),
        "every_cell": design.points(design.seeds, draws, among=len(cells)),
        "two_cells": design.points(design.seeds, draws, cells=2),
        "cells": cells,
    }


def _lacking(study: Study, counts: Counts, one: Arm, other: Arm) -> float | None:
    """Return the expected share of the larger one's problems that the other lacks."""
    pools = {study.arm_dataset(arm.name) for arm in (one, other)}
    if len(pools) > 1:
        return None
    pool = counts.dataset(pools.pop()).n
    sizes = [counts.arm(arm.name) for arm in (one, other)]
    if not pool or any(size.at_most for size in sizes):
        return None
    drawn = any(_drawn(study, arm) for arm in (one, other))
    if not drawn and max(size.n for size in sizes) < pool:
        return None  # two choices by scores
    return max(0.0, 1 - min(size.n for size in sizes) / pool)


def _drawn(study: Study, arm: Arm) -> bool:
    selector = study.scores[str(arm.score)]["selector"]
    return bool(plugins.load("selectors", selector).SEEDED)
