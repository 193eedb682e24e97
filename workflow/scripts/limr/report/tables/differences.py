"""Is the gain real? Arms against the full set, random draws and the base, question by question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import contrasts, results

TITLE = "Differences between arms"
REQUIRES = ("evaluations", "subsets")

COLUMNS = ["arm", "against", "difference", "low", "high", "interval", "runs", "questions", "level"]


def build(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per trained arm and reference, the difference in points with its interval.

    References are the arms that train on every problem, those drawn at random, and the untrained
    base.
    """
    frame = results.evaluated(inputs)
    rows = []
    for first, second in [*contrasts.pairs(inputs), *contrasts.base_pairs(inputs)]:
        found = contrasts.group_difference(inputs, first.name, second.name)
        runs = [
            frame.loc[frame["group"] == group.name, ["arm", "seed"]].drop_duplicates().shape[0]
            for group in (first, second)
        ]
        rows.append(
            {
                "arm": first.title,
                "against": second.title,
                **found.percent("difference"),
                "interval": "excludes 0" if found.excludes_zero else "contains 0",
                "runs": f"{runs[0]}, {runs[1]}",
                "questions": found.n_questions,
                "level": 100 * results.declared(inputs).level,
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def caption(frame: pd.DataFrame) -> str:
    """Say how the arms were compared."""
    return (
        "Difference of the mean accuracy over benchmarks in points, paired by question, at each "
        f"arm's reported step; {frame['level'].max():g} % interval over runs and questions."
    )
