"""Two arms at equal steps, passes, rollouts and compute: what looks better may depend on which.

A subset of a quarter of the problems passes over each of them four times as often at equal steps;
and who chose it may have paid for a scoring run. So the same two arms are compared where both had
spent the same of each: at the latest pair of evaluated steps whose amounts agree within a
tolerance. Nothing is interpolated: where no such steps were evaluated, that is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from limr.analysis import cells, contrasts, cost_curves, results, subset_records
from limr.analysis.cells import Match
from limr.analysis.contrasts import Choice
from limr.analysis.cost_curves import Curve
from limr.analysis.results import Inputs
from limr.statistics.estimates import Estimate

STEPS, PASSES, ROLLOUTS, COMPUTE = MEASURES = ("steps", "passes", "rollouts", "compute")
Amounts = Mapping[int, float]  # evaluated step -> what was spent up to it


@dataclass(frozen=True)
class Meeting:
    """Two arms at an equal amount.

    Attributes:
        measure: of `MEASURES`.
        steps: of both arms; None: they meet at no evaluated steps.
        estimate: first - second there; None as above.
        why: why they do not meet; empty where they do.
    """

    measure: str
    steps: tuple[int, int] | None
    estimate: Estimate | None
    why: str = ""


def meetings(inputs: Inputs, match: Match, unit: str, tolerance: float) -> list[Meeting]:
    """Return where two groups of a cell meet, for each measure.

    Args:
        inputs: what the study has.
        match: the groups.
        unit: what compute is counted in, see `limr.analysis.cost_curves.UNITS`.
        tolerance: by which share of the larger amount two amounts may differ and still be equal.

    Raises:
        InputError: a run lacks a question.
    """
    found = []
    for measure in MEASURES:
        sides = [amounts(inputs, g.name, measure, unit) for g in (match.first, match.second)]
        steps = meet(sides[0], sides[1], tolerance)
        if steps is None:
            groups = match.first, match.second
            titles = [cells.without_cell(inputs, group) for group in groups]
            scoring = [_scoring(inputs, group.name, measure, unit) for group in groups]
            found.append(Meeting(measure, None, None, _why(sides, titles, scoring)))
            continue
        choice = Choice(step=steps[0], second_step=steps[1])
        names = match.first.name, match.second.name
        found.append(Meeting(measure, steps, contrasts.difference(inputs, *names, choice)))
    return found


def amounts(inputs: Inputs, group: str, measure: str, unit: str) -> dict[int, float]:
    """Return evaluated step -> what a group had spent, the mean over its runs.

    Steps at which it is not known are left out; compute has what scoring cost in it.
    """
    if measure == STEPS:
        return {step: float(step) for step in cells.steps(inputs, group) if step > 0}
    curve = _curves(inputs).get(group)
    if curve is None:
        return {}
    costs = curve.costs[unit if measure == COMPUTE else "rollouts"].mean(axis=0)
    if measure == COMPUTE:
        costs = costs + curve.scoring(unit)
    if measure == PASSES:
        costs = costs / _rollouts_of_a_pass(inputs, curve)
    spent = zip(curve.steps, costs, strict=True)
    return {step: float(cost) for step, cost in spent if step > 0 and np.isfinite(cost)}


@results.remembered
def _curves(inputs: Inputs) -> dict[str, Curve]:
    return {curve.group.name: curve for curve in cost_curves.curves(inputs)}


def _rollouts_of_a_pass(inputs: Inputs, curve: Curve) -> float:
    """Return the rollouts of one pass over a group's problems; NaN: not known."""
    record = subset_records.group_record(inputs, curve.group)
    runs = [run for run in inputs.runs if run["arm"] in curve.group.arms]
    ppo = runs[0].get("settings", {}).get("ppo") if runs else None
    if record is None or ppo is None:
        return float("nan")
    return float(record["n_selected"] * ppo["samples_per_prompt"])


def meet(ours: Amounts, theirs: Amounts, tolerance: float) -> tuple[int, int] | None:
    """Return the latest pair of steps with equal amounts, the closest of these; None: none is.

    Args:
        ours: of the first arm.
        theirs: of the second.
        tolerance: see `meetings`.
    """
    equal = [
        (min(mine, other), -abs(mine - other), (step, against))
        for step, mine in ours.items()
        for against, other in theirs.items()
        if abs(mine - other) <= tolerance * max(mine, other)
    ]
    return max(equal)[2] if equal else None


def _scoring(inputs: Inputs, group: str, measure: str, unit: str) -> float:
    curve = _curves(inputs).get(group)
    return curve.scoring(unit) if curve is not None and measure == COMPUTE else 0.0


def _why(sides: Sequence[Amounts], titles: Sequence[str], scoring: Sequence[float]) -> str:
    """Return why two arms do not meet, and what was evaluated instead."""
    for side, title in zip(sides, titles, strict=True):
        if not side:
            return f"{title}'s is not known"
    short = int(max(sides[1].values()) < max(sides[0].values()))  # who spends less in all
    budget, whole = max(sides[short].values()), f"all that {titles[short]} spends"
    other, title = sides[1 - short], titles[1 - short]
    if scoring[1 - short] > budget:
        return f"{title}'s scoring alone is {scoring[1 - short] / budget:.2g} times {whole}"
    below = max((step for step, spent in other.items() if spent <= budget), default=None)
    above = min((step for step, spent in other.items() if spent > budget), default=None)
    near = [
        f"{other[step] / budget:.2g} times at step {step}"
        for step in (below, above)
        if step is not None
    ]
    return f"{title} not evaluated at {whole}, but at {' and '.join(near)}"
