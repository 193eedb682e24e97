"""What the arms share and nobody is charged for: the base policy, and every arm's evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import results
from limr.analysis.results import Inputs

TITLE = "Shared costs"
REQUIRES = ("evaluations", "runs")
DECIMALS = 2


def build(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return a row for the base policy and one for each group that was evaluated."""
    frame = results.evaluated(inputs)
    rows = [_base(inputs.study.get("base_work"))]
    for group in results.evaluated_groups(inputs):
        own = frame[frame["group"] == group.name]
        policies = own.drop_duplicates(["arm", "seed", "step"]).shape[0]
        rows.append(
            {
                "what": f"evaluation of {group.title}",
                "policies": policies,
                "optimizer steps": pd.NA,
                "examples": pd.NA,
                "responses": int(own["n"].sum()),
                "million response tokens": float((own["n"] * own["response_tokens"]).sum()) / 1e6,
            }
        )
    return pd.DataFrame(rows, dtype=object)


def _base(work: Mapping[str, int] | None) -> dict[str, Any]:
    made = work or {}
    return {
        "what": "base policy" if work else "base policy (made elsewhere)",
        "policies": 1,
        "optimizer steps": made.get("steps", pd.NA),
        "examples": made.get("examples", pd.NA),
        "responses": pd.NA,
        "million response tokens": pd.NA,
    }


def caption(frame: pd.DataFrame) -> str:
    """Say what these costs are, and why nobody is charged for them."""
    return (
        "Every arm starts from the same base policy and is evaluated in the same way; neither is "
        "part of what a choice of problems costs. Evaluations: all policies (runs and steps), all "
        "benchmarks and decodings; prompts are not counted. A base that was made elsewhere cost "
        "something too, which is not known here."
    )
