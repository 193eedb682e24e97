"""Equal what? Every pair of arms at equal steps, passes, rollouts and compute, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import cells, cost_curves, equal_what, results
from limr.analysis import map as mapping
from limr.analysis.equal_what import Meeting
from limr.analysis.results import Inputs
from limr.core.validation import Keys, key
from limr.report.tables import _map

TITLE = "Equal what?"
REQUIRES = ("evaluations", "metrics", "subsets", "runs")
DECIMALS = 1
NUMBERS = ("level", "tolerance", *(
    f"{name}{end}" for name in equal_what.MEASURES for end in (": points", ": low", ": high")
))  # fmt: skip


class Options(Keys):
    """Keys of `tables.equal-what`."""

    pairs: mapping.Pairs = None
    unit: cost_curves.Unit = "tokens"
    tolerance: float = key(
        0.05, "By which share of the larger two amounts may differ and count as equal.", ge=0, lt=1
    )


def build(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per pair and cell."""
    level = results.declared(inputs).level
    rows = []
    for pair in mapping.pairs(inputs, options["pairs"]):
        for match in cells.matches(inputs, *pair):
            found = equal_what.meetings(inputs, match, options["unit"], options["tolerance"])
            verdicts = {
                one.estimate.interval(level).verdict for one in found if one.estimate is not None
            }
            row = _map.where(inputs, pair, match.cell)
            for one in found:
                row |= _columns(one, level)
            rows.append(
                {
                    **row,
                    "sign changes": "yes" if {"above", "below"} <= verdicts else "no",
                    "compute in": cost_curves.UNITS[options["unit"]][2],
                    "tolerance": 100 * options["tolerance"],
                    "level": 100 * level,
                }
            )
    return pd.DataFrame(rows)


def _columns(one: Meeting, level: float) -> dict[str, Any]:
    ends = ("points", "low", "high")
    if one.estimate is None or one.steps is None:
        values: dict[str, Any] = dict.fromkeys(ends, float("nan"))
        known = {f"{one.measure}: {end}": values[end] for end in ends}
        return {**known, f"{one.measure}: at": one.why}
    values = one.estimate.interval(level).percent("points")
    return {
        **{f"{one.measure}: {end}": values[end] for end in ends},
        f"{one.measure}: at": f"step {one.steps[0]} and {one.steps[1]}",
    }


def caption(frame: pd.DataFrame) -> str:
    """Say what is equal in each column, and that nothing is interpolated."""
    if frame.empty:
        return "The study has no two arms to compare."
    changed = int((frame["sign changes"] == "yes").sum())
    return (
        "Difference arm − against in points with its "
        f"{frame['level'].max():g} % interval, paired by question, where both arms had spent the "
        "same: training steps; passes over their own problems; rollouts; "
        f"{frame['compute in'].iloc[0]}, with the scoring run charged in full to the arm whose "
        "problems it chose. At: the latest evaluated steps of arm and against whose amounts agree "
        f"within {frame['tolerance'].max():g} %; where there are none, what was evaluated instead, "
        "and no number, since nothing is interpolated. Sign changes: whether one of the four "
        f"intervals lies above 0 and another below, in {changed} of {len(frame)} rows."
    )
