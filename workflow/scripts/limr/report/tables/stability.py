"""How many epochs a score needs: the first epochs against all, odd against even ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import pandas as pd
from pydantic import Field

from limr.analysis import results, which_scores
from limr.core.validation import Keys, key

TITLE = "Scores from fewer epochs"
REQUIRES = ("diagnostics",)
DECIMALS = 2


class Options(Keys):
    """Keys of `tables.stability`."""

    scores: which_scores.Names = None
    epochs: list[Annotated[int, Field(ge=1)]] = key(
        [1, 2, 3, 5, 10, 20, 30, 50, 100],
        "Numbers of first epochs to show, of those that the curves have.",
    )


COLUMNS = ["score", "epochs", "problems", "best", "Spearman", "overlap", "low", "high", "chance"]


def build(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per score and comparison; none where there is only one epoch."""
    rows = []
    for name in which_scores.diagnosed(inputs, options["scores"], "table 'stability'"):
        for row in inputs.diagnostics[name].epochs.to_dict("records"):
            if row["kind"] == "first" and row["epochs"] not in options["epochs"]:
                continue
            words = f"first {row['epochs']} of {row['n_epochs']}"
            rows.append(
                {
                    "score": name,
                    "epochs": words if row["kind"] == "first" else "odd against even",
                    "problems": row["n"],
                    "best": row["size"],
                    "Spearman": row["spearman"],
                    "overlap": row["overlap"],
                    f"{100 * row['level']:g} % low": row["low"],
                    "high": row["high"],
                    "chance": row["chance"],
                }
            )
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=COLUMNS)


def caption(frame: pd.DataFrame) -> str:
    """Say what is compared, and what the interval covers."""
    return (
        "The score from the first epochs against the same score from all, and from odd epochs "
        "against even ones, which share no sample: about the noise ceiling. Over the problems that "
        "both could score: Spearman's rank correlation, and the share of the best that both have, "
        "with Wilson's interval from low to high. The interval is over problems, as if these were "
        "drawn from many; it does not cover other samples of the same problems. "
        "Chance is the overlap of two scores that know nothing of each other."
    )
