"""How often another rule judges the same responses differently, by benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import results
from limr.evaluate import second_opinion

TITLE = "A second opinion on the verdicts"
REQUIRES = ("evaluations", "opinions")
DECIMALS = 2


def build(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per benchmark; shares in percent of its responses."""
    opinions = inputs.opinions
    assert opinions is not None  # noqa: S101 - REQUIRES has it
    rows = []
    for name, title in results.benchmarks(inputs).items():
        frame = opinions[opinions["benchmark"] == name]
        differ = frame[second_opinion.differ(frame)]
        ours = differ["verdict"].astype(str) == "correct"
        found = second_opinion.rate(frame)
        rows.append(
            {
                "benchmark": title,
                "problems": frame["problem_id"].nunique(),
                "responses": int(frame["n"].sum()),
                "judged differently": int(differ["n"].sum()),
                "correct here only": int(differ.loc[ours, "n"].sum()),
                "correct there only": int(differ.loc[~ours, "n"].sum()),
                **found.percent("rate %"),
                "second rule": str(frame["rule"].iloc[0]),
            }
        )
    return pd.DataFrame(rows)


def caption(frame: pd.DataFrame) -> str:
    """Say who judged, what, and what the interval is of."""
    return (
        "All responses of all evaluations were judged again by another rule; it and ours disagree "
        "where one says correct and the other does not. The rate is a mean over problems, with a "
        f"95 % interval over problems. {int(frame['responses'].sum()):,} responses."
    )
