"""Which selector would have gone on finding problems with a signal: a backtest of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis.results import Inputs
from limr.core.errors import InputError
from limr.scores.backtest_rows import summary
from limr.scores.backtest_text import NOT_ACCURACY

TITLE = "Backtest of selectors"
REQUIRES = ("backtest",)
DECIMALS = 3
COLUMNS = {
    "log": "curves",
    "selector": "selector",
    "signal": "signal",
    "signal_low": "low",
    "signal_high": "high",
    "visits": "t",
    "groups": "n",
    "signal_lowest": "lowest t",
    "signal_highest": "highest t",
    "behind": "behind",
    "behind_low": "behind, low",
    "behind_high": "behind, high",
    "variance": "p(1-p)",
    "per_rollout": "per rollout",
    "all_right": "all right",
    "all_wrong": "all wrong",
    "either": "one of the two",
    "later": "later",
    "dead": "dead",
    "dead_at_most": "dead at most",
    "cost": "cost",
    "reason": "not compared",
}


def build(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per learning curves and choice, best first.

    Raises:
        InputError: the study has no learning curves.
    """
    if inputs.backtest is None:
        raise InputError("table 'backtest': the study has no learning curves to test on.")
    found = summary(inputs.backtest)
    found["groups"], found["visits"] = found["groups"].round(), found["visits"].round()
    found = found.astype({"groups": "Int64", "visits": "Int64"})
    found = found[list(COLUMNS)].rename(columns=COLUMNS)
    empty = [
        name for name in ("one of the two", "dead at most") if not found["one of the two"].any()
    ]
    empty += [name for name in ("not compared",) if found[name].isna().all()]
    return found.drop(columns=empty)


def caption(frame: pd.DataFrame) -> str:
    """Explain the columns, and what they are not."""
    return (
        f"{NOT_ACCURACY} Chosen from the first t epochs alone, looked at in the next ones; "
        "column t: from how many t; n: groups looked at. Signal: share of groups with right and "
        "wrong answers, with a bootstrap interval over problems, and its lowest and highest over "
        "t. Behind: the best selector's signal minus this one's, with a paired interval. p(1-p): "
        "its mean, without the bias of small groups; per rollout: its sum by rollouts. All right, "
        "all wrong: rollouts wasted on such groups. Later: problems with a signal after that; "
        "dead: problems never solved again, to the end of the log. Cost: rollouts for each group "
        "with a signal. Random is an exact expectation; the oracle knows the groups that judge it."
    )
