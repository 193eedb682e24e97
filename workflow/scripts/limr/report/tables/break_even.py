"""After how many uses of its subset a chosen arm pays its scoring run back, or never."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import break_even, cost_curves
from limr.analysis.results import Inputs
from limr.core.validation import Keys

TITLE = "Whether the scoring run pays"
REQUIRES = ("evaluations", "metrics", "subsets", "runs")
DECIMALS = 2


class Options(Keys):
    """Keys of `tables.break-even`."""

    unit: cost_curves.Unit = "tokens"


def build(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per chosen arm, reference and question; see `limr.analysis.break_even`.

    Rows that price nothing are left out (`BreakEven.says_something`).
    """
    unit = options["unit"]
    rows = [
        {
            "arm": found.arm.group.title,
            "against": found.against.group.title,
            "to reach": found.question,
            "accuracy %": 100 * found.target,
            "unit": cost_curves.UNITS[unit][2],
            "scoring, once": found.arm.scoring(unit),
            "scored from": found.arm.scored_from,
            "each use, arm": found.each,
            "each use, against": found.each_against,
            "saved each use": found.each_against - found.each,
            "pays from use": break_even.number(found.uses),
            "low": break_even.number(found.low),
            "high": break_even.number(found.high),
            "never, % of draws": 100 * found.never,
            **{f"points {key}": n for key, n in found.gap.percent("at equal steps").items()},
            "runs": found.arm.n_runs,
            "runs against": found.against.n_runs,
            "questions": found.gap.n_questions,
        }
        for found in break_even.compare(inputs, unit)
        if found.says_something
    ]
    columns = ["arm", "against", "pays from use"]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=columns)


def caption(frame: pd.DataFrame) -> str:
    """Say what is compared, by which formula, and what the interval is."""
    if frame.empty:
        return (
            "No arm's problems were chosen by a score, or the base already has what the arms end "
            "with, so that nothing has to pay."
        )
    return (
        f"Costs in {frame['unit'].iloc[0]}. An arm that was chosen after a scoring run costs S "
        "once and a for each use of its subset (a seed, another model, a rerun), the reference r: "
        "it has paid from the smallest n with S + n a <= n r, and never where r <= a. a and r are "
        "what it costs to reach the accuracy that the reference ends with, or that the arm ends "
        "with, at the first evaluated step that has it (a dash: it never has), or both arms' costs "
        "at equal steps, where the points say whether they are equally good. An arm that reaches "
        "what its reference does not pays from use 1. Low to high: 95 % interval of n over 4,000 "
        "draws of runs and questions, steps and costs found again in each; beside it the share of "
        "draws in which it never pays. Left out: accuracies that the base already has, and what a "
        "worse arm saves at equal steps. "
        "The first of several steps that reaches a target is a favourable choice. Another model "
        "is counted as a use as if the same subset served it as well, which is not shown here."
    )
