"""Which subset size is best at a given budget, with the scoring run charged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import best_size, cells, cost_curves, results
from limr.analysis.best_size import Size
from limr.analysis.results import Inputs
from limr.core.validation import Keys, Number, key

TITLE = "The best size at a budget"
REQUIRES = ("evaluations", "metrics", "subsets", "runs")
DECIMALS = 1
NUMBERS = ("budget", "problems", "step", "spent", "accuracy", "low", "high", "best, % of draws",
           "level")  # fmt: skip


class Options(Keys):
    """Keys of `tables.best-size`."""

    unit: cost_curves.Unit = "rollouts"
    budgets: list[Number] | None = key(
        None,
        "Budgets in this unit; null: what the full set spends by each of its evaluated steps, "
        "and what the dearest size spends in all.",
    )


def build(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per arm in several sizes, setting of the other axes, budget and size."""
    rows = []
    for table in best_size.tables(inputs, options["unit"], options["budgets"]):
        means = [one.accuracy.mean for one in table.sizes if one.accuracy is not None]
        for one in table.sizes:
            rows.append(
                {
                    "choice": cells.title(inputs, table.name),
                    **{
                        axis: cells.value_text(dict(table.cell)[axis])
                        for axis in cells.axes(inputs)
                        if axis in dict(table.cell)
                    },
                    "budget": table.budget,
                    "of": cost_curves.UNITS[options["unit"]][2],
                    "trains on": cells.without_cell(inputs, one.group),
                    "problems": pd.NA if one.problems is None else one.problems,
                    **_row(one, max(means, default=0.0)),
                    "level": 100 * results.declared(inputs).level,
                }
            )
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=["choice", "budget", "problems"])


def _row(one: Size, highest: float) -> dict[str, Any]:
    if one.accuracy is None:
        why = "cannot be had" if one.known else "not evaluated"
        empty = ("step", "spent", "accuracy", "low", "high", "best, % of draws")
        return {**dict.fromkeys(empty, pd.NA), "highest": why}
    return {
        "step": one.step,
        "spent": one.spent,
        **one.accuracy.percent("accuracy"),
        "best, % of draws": 100 * one.best,
        "highest": "yes" if one.accuracy.mean == highest else "",
    }


def caption(frame: pd.DataFrame) -> str:
    """Say what is charged, at which step a size is taken, and what the share is."""
    if frame.empty:
        return "No arm of the study is there in several sizes."
    return (
        f"Mean accuracy in percent with its {frame['level'].max():g} % interval, for each size and "
        f"the full set, at the latest evaluated step that the budget ({frame['of'].iloc[0]} of one "
        "run) pays for after the scoring run that the choice needs. What is not spent is lost: "
        "nothing is interpolated. Cannot be had: the scoring run, or the first evaluated step, "
        "costs more. Not evaluated: not yet, or its costs are not known. Best: in which share of "
        "2,000 draws of questions (the same for all sizes) and runs a size has the highest mean; a "
        "share near that of chance says that sizes cannot be told apart. A scoring run that serves "
        "several subsets costs each of them less."
    )
