"""Accuracy with and without the questions that overlap with training problems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from limr.analysis import contamination, contrasts, results

TITLE = "Accuracy without overlapping questions"
REQUIRES = ("evaluations", "subsets", "overlaps")
MEAN = "mean of benchmarks"


def build(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per group and benchmark, and one for the mean over benchmarks; in percent.

    Raises:
        InputError: the study has no benchmarks, or no question is left.
    """
    clean = contamination.clean(inputs)
    left_out = contamination.only(inputs)
    rows = []
    for group in results.evaluated_groups(inputs):
        for name, title in results.benchmarks(inputs).items():
            rows.append(
                {"arm": group.title, "benchmark": title}
                | _compared(inputs, clean, group.name, name)
                | {"overlapping %": _accuracy(left_out, group.name, name)}
            )
        rows.append(
            {"arm": group.title, "benchmark": MEAN}
            | _compared(inputs, clean, group.name, None)
            | {"overlapping %": np.nan}
        )
    words, share = inputs.study["contamination"]["overlapping"].values()
    rule = f"{100 * share:g} % of {words}-grams"
    return pd.DataFrame(rows).assign(rule=rule)


def _compared(
    inputs: results.Inputs, clean: results.Inputs, group: str, benchmark: str | None
) -> dict[str, Any]:
    chosen = None if benchmark is None else [benchmark]
    every = contrasts.group_interval(inputs, group, chosen)
    kept = results.benchmarks(clean)
    found: dict[str, Any] = {
        "questions": every.n_questions,
        **every.percent("all %"),
        "clean questions": 0,
        **dict.fromkeys(("clean %", "clean low", "clean high", "change"), np.nan),
    }
    if benchmark is None or benchmark in kept:
        touched = contamination.left_out(inputs)
        same = not any(touched.get(name) for name in chosen or touched)
        part = every if same else contrasts.group_interval(clean, group, chosen)
        found |= {
            "clean questions": part.n_questions,
            **{f"clean {key}": value for key, value in part.percent("%").items()},
            "change": 100 * (part.mean - every.mean),
        }
    return found


def _accuracy(inputs: results.Inputs, group: str, benchmark: str) -> float:
    """Return the accuracy in percent on the questions that are left; NaN: none is."""
    if benchmark not in results.benchmarks(inputs):
        return float("nan")
    return 100 * float(results.headline_results(inputs, group)[benchmark].mean())


def caption(frame: pd.DataFrame) -> str:
    """Say what was left out, and what the intervals are."""
    n = frame[frame["benchmark"] == MEAN].iloc[0]
    left = int(n["questions"] - n["clean questions"])
    return (
        f"Share of correct responses at each arm's last evaluated step over all "
        f"{int(n['questions']):,} questions, and without the {left:,} that overlap with a training "
        f"problem set: the same text, or at least {frame['rule'].iloc[0]} in one problem of it. "
        "The same questions are left out for every arm, whatever it trained on, so that arms stay "
        "comparable; questions too short for an n-gram stay in. Intervals are 95 % bootstrap "
        "intervals over runs and questions. Overlapping questions may be easier or harder than "
        "others: a change alone does not show that a policy remembers them. Look whether it "
        "differs between arms and from the base policy's."
    )
