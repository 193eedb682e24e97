"""How many questions of each benchmark share words with the problems that an arm trains on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from limr.analysis import contamination, results

TITLE = "Overlap of benchmarks and training problems"
REQUIRES = ("overlaps",)


def build(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per set of training problems, benchmark and length of n-grams.

    Counts of an arm with several random draws are means over the draws.

    Raises:
        InputError: the study has no benchmarks.
    """
    frame = contamination.measured(inputs)
    thresholds = inputs.study["contamination"]["thresholds"]
    titles = {mark["name"]: mark["title"] for mark in inputs.study["benchmarks"]}
    arms = {arm["name"]: arm["title"] for arm in inputs.study["arms"]}
    named = frame["trained_on"].map(arms).where(frame["scope"] == "arm", frame["trained_on"])
    rows = []
    keys = ["scope", named.rename("title"), "benchmark", "words"]
    for (scope, title, benchmark, words), part in frame.groupby(keys, sort=False):
        whole = "problem set " if scope == "problem set" else ""
        draws = [_counted(own, thresholds) for _, own in part.groupby("trained_on", sort=False)]
        means = {key: sum(draw[key] for draw in draws) / len(draws) for key in draws[0]}
        counts = {key: int(n) if n.is_integer() else n for key, n in means.items()}
        rows.append(
            {
                "trained on": f"{whole}{title}",
                "benchmark": titles[benchmark],
                "n-grams": f"{words} words",
                **counts,
                "draws": len(draws),
            }
        )
    return pd.DataFrame(rows, dtype=object)


def _counted(part: pd.DataFrame, thresholds: Sequence[float]) -> dict[str, int]:
    found = {
        "problems": int(part["n_problems"].iloc[0]),
        "questions": len(part),
        "same text": int((part["match"] == "exact").sum()),
        "same but for layout": int((part["match"] == "normalised").sum()),
        "too short": int((part["n_grams"] == 0).sum()),
    }
    for column, what in (("shared", "in one problem"), ("covered", "in all problems")):
        share = contamination.shares(part, column)
        for least in sorted(thresholds):
            found[f"≥ {100 * least:g} % {what}"] = int((share >= least).sum())
    return found


def caption(frame: pd.DataFrame) -> str:
    """Say what is counted, how texts are made alike, and what short questions are."""
    return (
        "Questions of each benchmark that the training problems hold: the same text, the same but "
        "for LaTeX's layout and case, and those of whose different runs of so many words (n-grams) "
        "a share stands in one training problem (its nearest), or anywhere in all of them. Words "
        "are runs of letters and digits without case; every other sign parts them, so that two "
        "problems may differ in a sign or a number and still share most of their words. A question "
        "with fewer words than a run is 'too short': it has no share, and no column with % counts "
        "it. Arms are measured on their own problems; of several random draws the mean is given."
    )
