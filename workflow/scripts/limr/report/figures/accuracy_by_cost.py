"""Accuracy against what it cost, the scoring run charged to the arms that needed it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from limr.analysis import contrasts, cost_curves
from limr.analysis.cost_curves import Curve
from limr.analysis.results import Inputs
from limr.core.errors import InputError
from limr.core.validation import Keys
from limr.report.figures import _style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Accuracy by cost"
REQUIRES = ("evaluations", "metrics", "subsets", "runs")


class Options(Keys):
    """Keys of `figures.accuracy-by-cost`."""

    unit: cost_curves.Unit = "tokens"


def data(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per run and evaluated step.

    Returns:
        group, title, colour, mark, arm, seed, run, step; own (what the group's runs cost up to the
        step, their mean), scoring (before it; 0: nothing, NaN: not known, drawn as 0), cost (both
        together), accuracy in percent (mean over benchmarks), base (that of the untrained), unit,
        benchmarks, questions.

    Raises:
        InputError: no run has costs in this unit.
    """
    unit = options["unit"]
    parts = [
        _rows(curve, unit).assign(unit=cost_curves.UNITS[unit][2])
        for curve in cost_curves.curves(inputs)
        if not pd.isna(curve.costs[unit]).any()
    ]
    if not parts:
        raise InputError(f"figure 'accuracy-by-cost': no run recorded its {unit}.")
    start = contrasts.base(inputs)
    base = 100 * contrasts.group_interval(inputs, start.name).mean if start else float("nan")
    return _style.titled(pd.concat(parts, ignore_index=True).assign(base=base), inputs)


def _rows(curve: Curve, unit: str) -> pd.DataFrame:
    cost, scoring = curve.costs[unit].mean(axis=0), curve.scoring(unit)
    before = 0.0 if pd.isna(scoring) else scoring
    return pd.DataFrame(
        [
            {
                "group": curve.group.name,
                "arm": arm,
                "seed": seed,
                "step": step,
                "own": cost[at],
                "scoring": scoring,
                "cost": before + cost[at],
                "accuracy": 100 * curve.by_run[number, at],
                "benchmarks": len(curve.accuracy),
                "questions": sum(values.shape[2] for values in curve.accuracy.values()),
            }
            for number, (arm, seed) in enumerate(curve.runs)
            for at, step in enumerate(curve.steps)
        ]
    )


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw the curves over their costs; each begins where its scoring run ends."""
    drawn = _style.figure(7.8, 4.6)
    ax = drawn.subplots()
    _style.lines(ax, frame, "accuracy", x="cost")
    starts = frame[frame["step"] == frame["step"].min()]
    for _, rows in starts[starts["scoring"] > 0].groupby("group", sort=False):
        first = rows["accuracy"].mean()
        ax.plot([0, rows["cost"].iloc[0]], [first, first], color=_style.BASE, linestyle=":",
                linewidth=1.6, zorder=1)  # fmt: skip
    charged = starts.loc[starts["scoring"] > 0].sort_values("cost")
    if len(charged):
        row = charged.iloc[0]
        height = charged.loc[charged["group"] == row["group"], "accuracy"].mean()
        look = {"ha": "center", "va": "top", "fontsize": 9, "backgroundcolor": "white"}
        _style.note(
            ax, "scoring run", (row["cost"] / 2, height), (0, -5), color=_style.BASE, **look
        )
    ax.set_xlim(left=0)
    ax.set_xlabel(f"{frame['unit'].iloc[0]}, the scoring run charged")
    ax.set_ylabel(f"mean of {frame['benchmarks'].max()} benchmarks, % correct")
    if frame["base"].notna().any():
        base = frame["base"].max()
        ax.axhline(base, color=_style.BASE, linestyle=(0, (9, 4)), linewidth=1.2, zorder=1)
        _style.note(ax, "base", (1, base), (-3, 3), ("axes fraction", "data"), color=_style.BASE,
                    ha="right")  # fmt: skip
    _style.legend(drawn, frame)
    return drawn


def caption(frame: pd.DataFrame) -> str:
    """Say what the axes show, what is charged to whom, and what the bands are."""
    unknown = frame.loc[frame["scoring"].isna(), "title"].unique()
    note = (
        f" What the scores of {', '.join(unknown)} cost is not known and not charged."
        if len(unknown)
        else ""
    )
    return (
        f"Mean accuracy over {frame['benchmarks'].max()} benchmarks "
        f"({frame['questions'].max()} questions, first decoding) against {frame['unit'].iloc[0]} "
        "of one run. An arm whose problems were chosen from another run's rollouts starts where "
        "that run, up to the last epoch that the score used, was paid for (dotted). Points: "
        f"evaluated steps; lines: mean over runs ({_style.runs(frame)}); bands: lowest to highest "
        f"run. Dashed: the untrained base, which is there from the start; it and evaluations are "
        f"shared and not charged.{note}"
    )
