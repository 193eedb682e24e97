"""What each arm cost to reach each accuracy, with the run that its problems were scored from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field

from limr.analysis import cost_curves, run_costs
from limr.analysis.cost_curves import Curve
from limr.analysis.results import Inputs
from limr.core.validation import Keys, Number, key
from limr.statistics.estimates import Arm, of_mean

TITLE = "The cost of each accuracy"
REQUIRES = ("evaluations", "metrics", "subsets", "runs")
DECIMALS = 3
EMPTY = (
    "no target (a multiple of `every` points) lies between where the arms start and the highest "
    "accuracy that one reached"
)


class Options(Keys):
    """Keys of `tables.cost-to-accuracy`."""

    targets: list[Annotated[Number, Field(ge=0, le=100)]] | None = key(
        None,
        "Accuracies in percent, means over the benchmarks; null: every multiple of `every` "
        "between where the arms start and the highest that one reached.",
    )
    every: Number = key(5, "Distance of the targets in points, where none are named.", gt=0)


# What is the same when the study is run again; hours, which differ, come last.
COUNTED = {"optimizer steps": "optimizer-steps", "rollouts": "rollouts", "million tokens": "tokens"}


def build(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per accuracy and trained group."""
    curves = cost_curves.curves(inputs)
    devices = dict(run_costs.by_step(inputs)[["arm", "device"]].to_numpy().tolist())
    rows = [
        {"accuracy %": float(target), "arm": curve.group.title}
        | _row(curve, target / 100)
        | {"hours of": devices[curve.group.arms[0]], "runs": curve.n_runs}
        for target in sorted(options["targets"] or _targets(curves, options["every"]))
        for curve in curves
    ]
    columns = ["accuracy %", "arm", "reached"]
    return pd.DataFrame(rows, dtype=object) if rows else pd.DataFrame(columns=columns)


def _targets(curves: list[Curve], every: float) -> list[float]:
    if not curves:
        return []
    lowest = min(100 * float(curve.mean[0]) for curve in curves)
    highest = max(100 * float(curve.mean.max()) for curve in curves)
    first, last = int(np.floor(lowest / every)) + 1, int(np.floor(highest / every))
    return [every * number for number in range(first, last + 1)]


def _row(curve: Curve, target: float) -> dict[str, Any]:
    place = int(cost_curves.first_at(curve.mean, target))
    found: dict[str, Any] = {"reached": "yes" if place >= 0 else "never"}
    found |= dict.fromkeys(("step", "mean %", "low", "high"), pd.NA)
    if place >= 0:
        at = {name: values[:, place] for name, values in curve.accuracy.items()}
        interval = of_mean(Arm(at, [arm for arm, _ in curve.runs])).interval()
        found |= {
            "step": curve.steps[place],
            **interval.percent("mean %"),
        }
    found["scored from"] = curve.scored_from
    for name, unit in (*COUNTED.items(), ("hours", "hours")):
        own = float(curve.costs[unit][:, place].mean()) if place >= 0 else np.nan
        before = curve.scoring(unit)
        found[name] = _known(own, unit)
        found[f"scoring, {name}"] = _known(before, unit)
        found[f"in all, {name}"] = _known(before + own, unit)
    return found


def _known(value: float, unit: str) -> Any:
    if np.isnan(value):
        return pd.NA
    return round(value) if unit in ("optimizer-steps", "rollouts") else float(value)


def caption(frame: pd.DataFrame) -> str:
    """Say what is counted, and what is chosen by looking."""
    return (
        "What a run of each arm cost up to the first evaluated step whose mean accuracy over the "
        "benchmarks (first decoding, all runs) is at least so high; low to high is the 95 % "
        "interval of that mean over runs and questions. Costs are means over runs. "
        "'Scoring' is the run that had to be made before the arm's problems could be chosen, once "
        "for all its runs, up to the last epoch that the score used; 0: none was needed; a dash: "
        "not known. The first step of several that passes a mark is a favourable choice. Hours are "
        "those of a CPU thread or GPU while training; they alone differ when the study is run "
        "again. The base policy and the evaluations are shared: table 'shared-costs'."
    )
