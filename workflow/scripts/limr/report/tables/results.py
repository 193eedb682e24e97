"""Accuracy by arm and benchmark: the shape of the paper's table 2, with what it leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import contrasts, results, subset_records

TITLE = "Accuracy by arm"
REQUIRES = ("evaluations", "subsets")


def build(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per group: accuracies in percent at its reported step.

    Each benchmark is evaluated at its first decoding. `mean` is over benchmarks by the declared
    weights, and `low` to `high` is its interval.
    """
    frame = results.evaluated(inputs)
    titles = results.benchmarks(inputs)
    used = [results.decodings(frame, name)[0] for name in titles]
    rows = []
    for group in results.evaluated_groups(inputs):
        record = subset_records.group_record(inputs, group)
        interval = contrasts.group_interval(inputs, group.name)
        matrices = results.headline_results(inputs, group.name)
        rows.append(
            {
                "arm": group.title,
                "problems": record["n_selected"] if record else pd.NA,
                **{titles[name]: 100 * matrix.mean() for name, matrix in matrices.items()},
                **interval.percent(),
                "seeds": results.n_seeds(inputs, group.name),
                "draws": group.draws,
                "questions": interval.n_questions,
                "step": results.reported_step(inputs, group.name),
                "level": 100 * results.declared(inputs).level,
                "decoding": ", ".join(dict.fromkeys(used)),
            }
        )
    return pd.DataFrame(rows)


def caption(frame: pd.DataFrame) -> str:
    """Say what the numbers are and what they were taken over."""
    return (
        f"Share of correct responses in percent, at each arm's reported step, over "
        f"{int(frame['questions'].max())} questions in all. The mean is over benchmarks; low to "
        f"high is the {frame['level'].max():g} % interval of the mean over runs (seeds and random "
        "draws) and questions. An arm with one run has no variation between runs in its own."
    )
