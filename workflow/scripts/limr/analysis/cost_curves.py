"""Accuracy against cost, for every trained group at each of its evaluated steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from limr.analysis import costs, results, run_costs, subset_records
from limr.analysis.costs import Scoring
from limr.analysis.results import Group, Inputs
from limr.core.validation import OneOf

Floats = npt.NDArray[np.float64]

# unit -> (column of `run_costs.by_step`, divided by, name in texts)
UNITS: Mapping[str, tuple[str, float, str]] = {
    "steps": ("step", 1.0, "training steps"),
    "optimizer-steps": ("updates", 1.0, "optimizer steps"),
    "rollouts": ("rollouts", 1.0, "rollouts"),
    "tokens": ("tokens", 1e6, "million tokens"),
    "hours": ("hours", 1.0, "hours"),
}
Unit = Annotated[
    str,
    OneOf(UNITS),
    Field(
        description="What costs are counted in: training steps, optimizer steps of the policy, "
        "responses sampled, prompt and response tokens trained on, or hours of a CPU thread or GPU "
        "(which, alone of these, differ from run to run)."
    ),
]


@dataclass(frozen=True)
class Curve:
    """A group's accuracy and cost over its evaluated steps.

    Attributes:
        group: the group.
        runs: arm and seed of each run.
        steps: evaluated steps in order; step 0 is the base policy.
        accuracy: benchmark -> (n_runs, n_steps, n_questions) in [0, 1], at the first decoding.
        costs: unit -> (n_runs, n_steps); NaN where a run has none of it.
        before: what had to run before the first step, once for all runs; None: nothing.
    """

    group: Group
    runs: tuple[tuple[str, int], ...]
    steps: tuple[int, ...]
    accuracy: Mapping[str, Floats]
    costs: Mapping[str, Floats]
    before: Scoring | None

    def scoring(self, unit: str) -> float:
        """Return what had to run before; 0 where nothing had to, NaN where it is not known."""
        if self.before is None:
            return 0.0
        column, scale, _ = UNITS[unit]
        if self.before.cost is None:
            return float("nan")
        value = getattr(self.before.cost, "steps" if column == "step" else column)
        return float(value) / scale

    @property
    def scored_from(self) -> str:
        """What had to run before, in words; empty for nothing."""
        return self.before.text if self.before is not None else ""

    @property
    def n_runs(self) -> int:
        """The number of runs."""
        return len(self.runs)

    @property
    def mean(self) -> Floats:
        """(n_steps,) mean over benchmarks, runs and questions."""
        every = [values.mean(axis=(0, 2)) for values in self.accuracy.values()]
        return np.asarray(np.mean(every, axis=0), np.float64)

    @property
    def by_run(self) -> Floats:
        """(n_runs, n_steps) mean over benchmarks and questions."""
        every = [values.mean(axis=2) for values in self.accuracy.values()]
        return np.asarray(np.mean(every, axis=0), np.float64)


@results.remembered
def curves(inputs: Inputs) -> list[Curve]:
    """Return the curve of every trained group that has evaluations and costs, in order.

    Raises:
        InputError: the study has no evaluations.
    """
    spent, base = run_costs.by_step(inputs), _base(inputs)
    frame = results.evaluated(inputs)
    found = []
    for group in results.evaluated_groups(inputs):
        own = spent[spent["arm"].isin(group.arms)]
        if group.train != "none" and len(own):
            only = replace(inputs, evaluations=frame[frame["group"] == group.name])
            before = costs.scoring(inputs, group.arms[0])
            found.append(_curve(only, group, own, base, before))
    return found


def _base(inputs: Inputs) -> dict[str, pd.DataFrame]:
    """Return benchmark -> runs by questions of the policy that all runs start from, if asked."""
    groups = [g for g in results.evaluated_groups(inputs) if g.train == "none"]
    plain = [g for g in groups if subset_records.group_record(inputs, g) is None]
    return results.headline_frames(inputs, plain[0].name, 0) if plain else {}


def _curve(
    inputs: Inputs,
    group: Group,
    spent: pd.DataFrame,
    base: dict[str, pd.DataFrame],
    before: Scoring | None,
) -> Curve:
    steps = sorted(int(step) for step in results.evaluated(inputs)["step"].unique())
    by_step = {step: results.headline_frames(inputs, group.name, step) for step in steps}
    index = next(iter(by_step[steps[-1]].values())).index
    if base and 0 not in steps:
        steps = [0, *steps]
        by_step[0] = {
            name: pd.DataFrame([wide.mean()] * len(index), index=index)
            for name, wide in base.items()
        }
    accuracy = {}
    for name, wide in by_step[steps[-1]].items():
        same = [by_step[step][name].reindex(index, columns=wide.columns) for step in steps]
        accuracy[name] = np.stack([part.to_numpy(np.float64) for part in same], axis=1)
    return Curve(
        group,
        tuple((str(arm), int(seed)) for arm, seed in index),
        tuple(steps),
        accuracy,
        {unit: _costs(spent, unit, index, steps) for unit in UNITS},
        before,
    )


def _costs(spent: pd.DataFrame, unit: str, index: pd.Index[Any], steps: list[int]) -> Floats:
    """Return (n_runs, n_steps) costs; NaN where they are not recorded."""
    column, scale, _ = UNITS[unit]
    rows = spent.assign(value=spent[column])
    table = rows.pivot(index=["arm", "seed"], columns="step", values="value").reindex(index)
    table[0] = np.where(table.notna().any(axis=1), 0.0, np.nan)
    return table.reindex(columns=steps).to_numpy(np.float64) / scale


def first_at(accuracy: Floats, target: float | Floats) -> npt.NDArray[np.int64]:
    """Return (...,) the first place along the last axis that reaches a target; -1: none does.

    Args:
        accuracy: (..., n_steps).
        target: one, or (...,).
    """
    # A mean over runs may lie a rounding error below the very number that it is held against.
    reached = accuracy >= np.expand_dims(np.asarray(target), -1) - 1e-12
    return np.where(reached.any(axis=-1), reached.argmax(axis=-1), -1).astype(np.int64)
