"""What each arm cost: rollouts, tokens, steps and hours, with the run it was scored from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import costs
from limr.analysis.results import Inputs

TITLE = "The bill"
REQUIRES = ("metrics", "subsets", "runs")
DECIMALS = 3


def build(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per trained group: means over its runs; its scoring run; both together."""
    rows = []
    for entry in costs.entries(inputs):
        own, whole = entry.own, entry.total
        scoring = entry.scoring.cost if entry.scoring else None
        rows.append(
            {
                "arm": entry.group.title,
                "problems": entry.problems,
                "runs": entry.n_runs,
                "steps": round(own.steps),
                "optimizer steps": round(own.updates),
                "rollouts": pd.NA if math.isnan(own.rollouts) else round(own.rollouts),
                "million tokens": own.tokens / 1e6,
                "hours": own.hours,
                "hours of": own.device,
                "scored from": entry.scoring.text if entry.scoring else "",
                "scoring, million tokens": scoring.tokens / 1e6 if scoring else pd.NA,
                "scoring, hours": scoring.hours if scoring else pd.NA,
                "in all, million tokens": whole.tokens / 1e6 if whole else pd.NA,
                "in all, hours": whole.hours if whole else pd.NA,
                "times the full set's": entry.ratio if entry.ratio is not None else pd.NA,
            }
        )
    return pd.DataFrame(rows, dtype=object)


def caption(frame: pd.DataFrame) -> str:
    """Say what is counted, and to whom the scoring run is charged."""
    return (
        "Means over an arm's runs. Tokens are prompt and response tokens trained on; hours are "
        "those of a device's unit (a CPU thread or a GPU) while training, without evaluation. An "
        "arm whose problems were chosen from another arm's rollouts is charged that run, up to the "
        "last epoch that its score used, beside its own; one whose problems were chosen from "
        "responses of the base, these responses' own tokens. A score from a file is not counted, "
        "and leaves the sum unknown. The last column compares tokens in all with those of the arm "
        "that trains on every problem. Hours depend on the machine and on what else it did."
    )
